/** Defects that the schedules have found and that still stand: told apart from new ones, counted, and never hidden. */
export interface KnownDefect {
  readonly says: string;
  /** Seeds that showed it. */
  readonly seeds: readonly number[];
  readonly pattern: RegExp;
}

export const KNOWN_DEFECTS: readonly KnownDefect[] = [
  {
    says: 'a forecast made anew after a withdrawal may be left written back as entered-in-error',
    seeds: [242, 704, 814],
    pattern: /^the report of the forecast \S+ in use is entered-in-error$|still rests on a withdrawn study$/,
  },
  {
    says: 'a session may be asked for twice with the same images when two processes plan it at once',
    seeds: [148, 1130],
    pattern: /^the session of \S+ has 2 runs$/,
  },
  {
    says: 'a consumer that wakes after its lease was taken over may write an older version of the measurements over a newer',
    seeds: [45],
    pattern: / is final and not of version \d+$/,
  },
  {
    says: 'a worker that wakes after another has finished its run may put other bytes under the artifacts that run named',
    seeds: [304, 682],
    pattern:
      /OBJECT_CORRUPT|^the view of \S+ shows another|^run \S+ of \S+ has 0 feature sets$|^engram\.feature-store never came to the end of engram\.run\.completed\.v1/,
  },
  {
    says: 'a study may keep the state of a run that was called off or whose numbers were no news',
    seeds: [90, 1043],
    pattern: /^\S+ says (in-progress|cancelled|queued), its run is completed$/,
  },
  {
    says: 'a withdrawal that crosses with the end of its run may leave the features in use',
    seeds: [1167, 1490],
    pattern:
      /^fs-\S+ still rests on the withdrawn \S+$|^\S+ says (in-progress|cancelled|queued|completed), not withdrawn$/,
  },
];

export const knownDefectOf = (failure: string): KnownDefect | undefined =>
  KNOWN_DEFECTS.find(({ pattern }) => pattern.test(failure));
