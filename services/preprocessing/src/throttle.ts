/**
 * Passes values on in order, one at a time, and at most one per interval of the same kind; others in between are
 * dropped. A value of another kind always passes, so no change of state is lost.
 */
export interface Throttle<T> {
  onProgress(value: T): void;
  /** Resolves when everything passed on has been written. */
  settle(): Promise<void>;
}

export function throttle<T>(
  intervalMs: number,
  kindOf: (value: T) => string,
  write: (value: T) => Promise<void>,
  now: () => Date,
): Throttle<T> {
  let tail = Promise.resolve();
  let kind = '';
  let last = Number.NEGATIVE_INFINITY;
  return {
    onProgress(value) {
      const at = now().getTime();
      if (kindOf(value) === kind && at - last < intervalMs) return;
      kind = kindOf(value);
      last = at;
      tail = tail.then(() => write(value));
    },
    settle: () => tail,
  };
}
