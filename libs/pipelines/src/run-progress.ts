/** How far a run is and how long it still takes, from the weights of its tasks. */
export interface RunProgress {
  /** Of the whole run, 0 to 1, never falling. */
  readonly fraction: number;
  /** null until enough was measured to say. */
  readonly secondsLeft: number | null;
}

export interface ProgressMeter {
  /** Work that a task did in this run, as a share of the task. */
  update(task: string, share: number, seconds: number): RunProgress;
  /** A task that was found finished: its weight says nothing about speed. */
  reuse(task: string): RunProgress;
}

export function progressMeter(weights: Readonly<Record<string, number>>): ProgressMeter {
  const total = Object.values(weights).reduce((a, b) => a + b, 0) || 1;
  const done = new Map<string, number>();
  const spent = new Map<string, { readonly weight: number; readonly seconds: number }>();
  let best = 0;
  const now = (): RunProgress => {
    const finished = [...done].reduce((sum, [task, share]) => sum + share * (weights[task] ?? 0), 0);
    best = Math.max(best, Math.min(1, finished / total));
    const worked = [...spent.values()].reduce((sum, { weight }) => sum + weight, 0);
    const seconds = [...spent.values()].reduce((sum, entry) => sum + entry.seconds, 0);
    const enough = worked >= 0.03 * total && seconds > 0;
    return { fraction: best, secondsLeft: best >= 1 ? 0 : enough ? ((total - finished) * seconds) / worked : null };
  };
  return {
    update: (task, share, seconds) => {
      done.set(task, Math.max(done.get(task) ?? 0, share));
      spent.set(task, { weight: share * (weights[task] ?? 0), seconds });
      return now();
    },
    reuse: (task) => {
      done.set(task, 1);
      return now();
    },
  };
}
