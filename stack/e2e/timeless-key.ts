/** Documents that hold the time of their making, or how long it took. */
export const TIMED = /\/(roi_features|preprocessing_log|manifest)\.json$/;

/** The artifacts of a run lie under their digests: one that holds a time lies elsewhere each time. */
export const timelessKey = (key: string): string =>
  TIMED.test(key) ? key.replace(/^(runs\/[^/]+)\/[0-9a-f]{64}\//, '$1/*/') : key;
