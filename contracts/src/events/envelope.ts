/**
 * CloudEvents 1.0 envelope, carried in Kafka binary mode (`ce_*` headers, JSON value).
 *
 * An event is a fact in the past tense, small, with ids, never values of a patient. Its id is derived from what it
 * states, so a repeat is recognised. Every event carries its subject's version (`subjectversion`): a handler ignores an
 * older one and parks a newer one.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';

export const envelope = z.object({
  specversion: z.literal('1.0'),
  id: z.string().regex(/^[0-9a-f]{32}$/),
  source: z.string().min(1).describe('/engram/<service>'),
  type: z.string().min(1),
  /** What the event is about: a session, run, feature set, forecast or study id. */
  subject: z.string().min(1),
  /** Monotone per subject. */
  subjectversion: z.int().min(1),
  time: z.string().describe('ISO 8601 instant'),
  datacontenttype: z.literal('application/json'),
  /** Pseudonymous patient key: the bus key, hence the unit of order. */
  partitionkey: z.string().min(1),
  traceparent: z.string().optional(),
  tracestate: z.string().optional(),
});
export type Envelope = z.infer<typeof envelope>;

export interface EngramEvent<D = unknown> extends Envelope {
  readonly data: D;
}

export interface EventDefinition<T extends string, S extends z.ZodType> {
  readonly type: T;
  readonly topic: `engram.${T}`;
  readonly from: readonly string[];
  readonly to: readonly string[];
  readonly says: string;
  readonly data: S;
  readonly example: z.infer<S>;
}

export function defineEvent<const T extends string, S extends z.ZodType>(
  definition: Omit<EventDefinition<T, S>, 'topic'>,
): EventDefinition<T, S> {
  return { ...definition, topic: `engram.${definition.type}` };
}

/** JSON with sorted keys: equal facts give equal text. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

export interface EventFacts<D> {
  readonly source: string;
  readonly subject: string;
  readonly subjectVersion: number;
  readonly patientKey: string;
  readonly time: Date;
  readonly data: D;
  readonly traceparent?: string | undefined;
}

/**
 * Builds an event; its id is derived from type, subject, version and data, never from time or chance, so that the same
 * fact said twice is one event.
 * @throws ZodError when the data does not fit the event's schema: a bug of the producer.
 */
export function makeEvent<T extends string, S extends z.ZodType>(
  definition: EventDefinition<T, S>,
  facts: EventFacts<z.infer<S>>,
): EngramEvent<z.infer<S>> {
  const data = definition.data.parse(facts.data) as z.infer<S>;
  const id = createHash('sha256')
    .update([definition.type, facts.subject, facts.subjectVersion, canonicalJson(data)].join('\n'))
    .digest('hex')
    .slice(0, 32);
  return {
    specversion: '1.0',
    id,
    source: facts.source,
    type: definition.type,
    subject: facts.subject,
    subjectversion: facts.subjectVersion,
    time: facts.time.toISOString(),
    datacontenttype: 'application/json',
    partitionkey: facts.patientKey,
    ...(facts.traceparent ? { traceparent: facts.traceparent } : {}),
    data,
  };
}
