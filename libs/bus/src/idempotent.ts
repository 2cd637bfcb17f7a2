/**
 * Makes a handler safe under at-least-once delivery: an event handled before is left alone, and so is one that is older
 * than what the group has already handled of its subject.
 *
 * The inbox remembers after the handler has succeeded, so a crash in between means a second run of the handler: its
 * effect must still be a conditional write (a revision, an id derived from the event, put-if-absent). What the inbox
 * saves is the repeats of a retry, a replay or a chatty server.
 *
 * Order holds per key within one topic only, so version 3 of a subject may come before version 2 (a retry, another
 * topic). `onOlder: 'ignore'` drops the older one, right where each event carries the whole state. A handler that needs
 * every version sets `onOlder: 'handle'`. One that cannot yet apply a newer one parks it: it throws a retryable error,
 * and the retry topic brings it back when the missing one has come.
 */
import { isEngramError } from '@engram/errors';
import { type Collection, modify, type Records } from '@engram/records';
import type { Handler } from './port.ts';

interface InboxEntry {
  readonly group: string;
  readonly eventId: string;
}

interface SubjectEntry {
  readonly version: number;
}

export interface IdempotentOptions {
  readonly records: Records;
  /** `service.inbox`, such as `preprocessing.inbox`; `service.inbox-subjects` is used beside it. */
  readonly collection: string;
  readonly group: string;
  /** Default `handle`: versions guard nothing. */
  readonly onOlder?: 'ignore' | 'handle';
  /** Default 30 days: longer than any retry, redrive or replay of the log. */
  readonly rememberMs?: number;
  readonly now?: () => number;
}

const MONTH_MS = 30 * 24 * 3_600_000;

const inboxOf = (records: Records, name: string): Collection<InboxEntry> =>
  records.collection<InboxEntry>({ name, indexes: ['group'] });
const subjectsOf = (records: Records, name: string): Collection<SubjectEntry> =>
  records.collection<SubjectEntry>({ name: `${name}-subjects` });

/**
 * @example
 * await bus.subscribe({ group, types, handler: idempotently({ records, collection: 'prediction.inbox', group }, handle) });
 */
export function idempotently(options: IdempotentOptions, handler: Handler): Handler {
  const { records, collection, group, onOlder = 'handle', rememberMs = MONTH_MS, now = Date.now } = options;
  const inbox = inboxOf(records, collection);
  const subjects = subjectsOf(records, collection);
  return async (delivery) => {
    const { event } = delivery;
    const id = `${group}:${event.id}`;
    if (await inbox.get(id)) return;
    const subject = `${group}:${event.type}:${event.subject}`;
    if (onOlder === 'ignore') {
      const latest = (await subjects.get(subject))?.value.version ?? 0;
      if (event.subjectversion < latest) return;
    }
    await handler(delivery);
    const expiresAt = now() + rememberMs;
    if (onOlder === 'ignore') {
      await modify(subjects, subject, (current) =>
        current && current.version >= event.subjectversion
          ? undefined
          : { value: { version: event.subjectversion }, options: { expiresAt } },
      );
    }
    await inbox.insert(id, { group, eventId: event.id }, { expiresAt }).catch((error: unknown) => {
      if (!isEngramError(error, 'RECORD_EXISTS')) throw error;
    });
  };
}

/**
 * Forgets what a group has handled, so that a replay has an effect.
 * @returns how many entries were forgotten.
 */
export async function forgetHandled(records: Records, collection: string, group: string): Promise<number> {
  const inbox = inboxOf(records, collection);
  for (let forgotten = 0; ; ) {
    const page = await inbox.find({ where: { group }, limit: 1000 });
    for (const record of page.records) await inbox.remove(record.id);
    forgotten += page.records.length;
    if (page.next === null) return forgotten;
  }
}
