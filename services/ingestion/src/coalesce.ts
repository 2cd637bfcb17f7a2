/** One at a time for a key; however many ask meanwhile, one more run serves them all. */
export type Coalesce = (key: string, work: () => Promise<void>) => Promise<void>;

export function createCoalescer(): Coalesce {
  const running = new Map<string, { readonly now: Promise<void>; next?: Promise<void> }>();

  function begin(key: string, work: () => Promise<void>): Promise<void> {
    const entry: { now: Promise<void>; next?: Promise<void> } = { now: Promise.resolve() };
    entry.now = work().finally(() => {
      // Whoever waits for a further run begins it itself.
      if (running.get(key) === entry && entry.next === undefined) running.delete(key);
    });
    running.set(key, entry);
    return entry.now;
  }

  return (key, work) => {
    const entry = running.get(key);
    if (!entry) return begin(key, work);
    entry.next ??= entry.now.catch(() => {}).then(() => begin(key, work));
    return entry.next;
  };
}
