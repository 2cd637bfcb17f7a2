/** Events against their contracts: write strict, read loose. Pure. */
import { canonicalJson, type EngramEvent, envelope, events } from '@engram/contracts';
import { EngramError } from '@engram/errors';
import type { z } from 'zod';

const definitions = new Map<string, (typeof events)[keyof typeof events]>(
  Object.values(events).map((definition) => [definition.type, definition]),
);

/** Every type that may travel. */
export const eventTypes: ReadonlySet<string> = new Set(definitions.keys());

/** `engram.run.requested.v1` of `run.requested.v1`. */
export const topicOf = (type: string): string => `engram.${type}`;

function refuse(event: unknown, issue: z.core.$ZodIssue | undefined, why: string): EngramError {
  const type = typeof event === 'object' && event !== null && 'type' in event ? String(event.type) : 'an event';
  const field = issue?.path.join('.');
  return new EngramError('EVENT_INVALID', `${type}: ${why}`, field === undefined ? {} : { field });
}

function check(event: unknown): { readonly data: unknown; readonly given: unknown } {
  const outer = envelope.safeParse(event);
  if (!outer.success) throw refuse(event, outer.error.issues[0], 'the envelope is not a CloudEvent of ours');
  const definition = definitions.get(outer.data.type);
  if (!definition) throw refuse(event, undefined, 'there is no such event type');
  const given = (event as EngramEvent).data;
  const inner = definition.data.safeParse(given);
  if (!inner.success) throw refuse(event, inner.error.issues[0], 'the data does not fit its schema');
  return { data: inner.data, given };
}

/** What a sender may publish: fits its schema and says nothing beyond it. @throws EVENT_INVALID with the field. */
export function checkPublished(event: unknown): asserts event is EngramEvent {
  const { data, given } = check(event);
  if (canonicalJson(data) !== canonicalJson(given)) {
    throw refuse(event, undefined, 'the data holds a field that its schema does not know');
  }
}

/** What a receiver accepts: fits its schema; fields of a newer sender are tolerated. @throws EVENT_INVALID with the field. */
export function checkReceived(event: unknown): asserts event is EngramEvent {
  check(event);
}
