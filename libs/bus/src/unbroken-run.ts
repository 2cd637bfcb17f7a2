/**
 * Offsets begun in order and finished in any order. A position may only move over the unbroken run of finished ones: what
 * lies before it must never be delivered again to be safe. Pure.
 */
export interface UnbrokenRun {
  /** How many are begun and not yet behind the run's end. */
  readonly open: number;
  begin(offset: number): void;
  /** @returns the last offset of the run when it has grown. */
  finish(offset: number): number | undefined;
}

export function unbrokenRun(): UnbrokenRun {
  const begun: number[] = [];
  const finished = new Set<number>();
  return {
    get open() {
      return begun.length;
    },
    begin(offset) {
      begun.push(offset);
    },
    finish(offset) {
      finished.add(offset);
      let end: number | undefined;
      while (begun[0] !== undefined && finished.delete(begun[0])) end = begun.shift();
      return end;
    },
  };
}
