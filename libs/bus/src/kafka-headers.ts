/**
 * CloudEvents Kafka protocol binding, binary content mode (cloudevents.io, kafka-protocol-binding §3.2): attributes as
 * `ce_*` headers, `content-type`, the data alone as the value. W3C trace context travels in its own `traceparent` and
 * `tracestate` headers as well, which is where tracing libraries look. Pure.
 */
import { type EngramEvent, envelope } from '@engram/contracts';
import { EngramError } from '@engram/errors';

export interface KafkaMessage {
  readonly key: string;
  readonly value: string;
  readonly headers: Readonly<Record<string, string>>;
}

const TRACE = ['traceparent', 'tracestate'] as const;

export function toKafkaHeaders(event: EngramEvent): KafkaMessage {
  const { data, datacontenttype, ...attributes } = event;
  const headers: Record<string, string> = { 'content-type': datacontenttype };
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) headers[`ce_${name}`] = String(value);
  }
  for (const name of TRACE) {
    const value = event[name];
    if (value !== undefined) headers[name] = value;
  }
  return { key: event.partitionkey, value: JSON.stringify(data), headers };
}

/** @throws EVENT_INVALID when the headers are not a CloudEvent of ours or the value is not JSON. */
export function fromKafkaHeaders(
  value: string | Uint8Array | null,
  headers: Readonly<Record<string, string | Uint8Array | undefined>>,
): EngramEvent {
  const text = (given: string | Uint8Array | undefined): string | undefined =>
    given === undefined || typeof given === 'string' ? given : Buffer.from(given).toString('utf8');
  const attributes: Record<string, unknown> = { datacontenttype: text(headers['content-type'])?.split(';')[0]?.trim() };
  for (const [name, given] of Object.entries(headers)) {
    if (name.startsWith('ce_')) attributes[name.slice(3)] = text(given);
  }
  for (const name of TRACE) {
    // A producer's tracing library overwrites the plain header, never ours: the plain one is the nearer parent.
    const given = text(headers[name]);
    if (given !== undefined) attributes[name] = given;
  }
  const parsed = envelope.safeParse({ ...attributes, subjectversion: Number(attributes['subjectversion']) });
  if (!parsed.success) {
    const field = parsed.error.issues[0]?.path.join('.');
    throw new EngramError('EVENT_INVALID', 'the headers are not a CloudEvent of ours', field ? { field } : {});
  }
  try {
    return { ...parsed.data, data: JSON.parse(text(value ?? undefined) ?? '') };
  } catch (cause) {
    throw new EngramError('EVENT_INVALID', 'the value of the message is not JSON', { cause });
  }
}
