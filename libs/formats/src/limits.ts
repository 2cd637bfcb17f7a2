/** How much a file may ask for. A service passes its own; these are the defaults. */
export interface Limits {
  /** Largest file as stored, in bytes. */
  readonly maxFileBytes: number;
  /** Largest image once inflated, in bytes. */
  readonly maxImageBytes: number;
  /** Largest number along one axis, frames included. */
  readonly maxDimension: number;
  /** Inflated over stored size; applied only to images above `ratioFloorBytes`. */
  readonly maxRatio: number;
  /**
   * Below this a high ratio is no bomb: a 256³ float32 mask is mostly zeros, and deflate reaches 1:1032 on those.
   */
  readonly ratioFloorBytes: number;
}

export const DEFAULT_LIMITS: Limits = {
  maxFileBytes: 2 ** 30,
  maxImageBytes: 2 ** 30,
  maxDimension: 2048,
  maxRatio: 200,
  ratioFloorBytes: 2 ** 26 + 4096,
};
