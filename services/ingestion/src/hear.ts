/** From a parsed notification to what must be looked at: gaps in a numbered stream are caught up by search. */
import { modify } from '@engram/records';
import type { Consumer } from './consume.ts';
import type { Notice } from './notification.ts';
import type { IngestionStore } from './store.ts';

export interface HearDeps {
  readonly store: IngestionStore;
  readonly consumer: Consumer;
  /** Finds everything changed since the last look. */
  readonly catchUp: () => Promise<void>;
}

/** Whether events up to this notification are missing. Pure. */
export function hasGap(
  heard: number | undefined,
  { count, numbers, type, focuses }: Extract<Notice, { kind: 'backport' }>,
): boolean {
  if (type === 'handshake') return false;
  const known = heard ?? 0;
  if (type !== 'event-notification') return count > known;
  // An `empty` notification names nothing: it is a gap by nature.
  const first = numbers.length > 0 ? Math.min(...numbers) : count;
  return focuses.length === 0 || first > known + 1;
}

export async function hear({ store, consumer, catchUp }: HearDeps, notice: Notice): Promise<void> {
  if (notice.kind === 'search') return catchUp();
  if (notice.kind === 'resources') {
    for (const focus of notice.focuses) await consumer.take(focus);
    return;
  }
  const heard = (await store.heard.get(notice.subscription))?.value.count;
  for (const focus of notice.focuses) await consumer.take(focus);
  if (hasGap(heard, notice)) await catchUp();
  // A handshake starts the count anew; otherwise a late notification never takes it back.
  await modify(store.heard, notice.subscription, (current) => {
    const count = notice.type === 'handshake' ? notice.count : Math.max(current?.count ?? 0, notice.count);
    return current?.count === count ? undefined : { value: { count } };
  });
}
