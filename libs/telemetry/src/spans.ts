/**
 * Spans and W3C trace context over the OpenTelemetry API alone: without a started SDK everything here does nothing and
 * costs nothing. Events carry `traceparent`, so one trace runs from a notification to its write-back.
 */
import { type Attributes, context, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';

export type SpanKindName = 'internal' | 'producer' | 'consumer' | 'server' | 'client';

const kinds: Readonly<Record<SpanKindName, SpanKind>> = {
  internal: SpanKind.INTERNAL,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
};

export interface SpanOptions {
  readonly kind?: SpanKindName;
}

/**
 * Runs `work` inside a span; a throw marks the span with `error.type` and passes on. Error messages stay out of spans:
 * they may name what only the caller may see.
 * @example await withSpan('n4', { 'engram.run.id': runId }, () => correctBias(image));
 */
export async function withSpan<T>(
  name: string,
  attributes: Attributes,
  work: () => Promise<T>,
  options: SpanOptions = {},
): Promise<T> {
  const kind = kinds[options.kind ?? 'internal'];
  return trace.getTracer('engram').startActiveSpan(name, { attributes, kind }, async (span) => {
    try {
      return await work();
    } catch (error) {
      span.setAttribute('error.type', errorType(error));
      span.setStatus({ code: SpanStatusCode.ERROR });
      throw error;
    } finally {
      span.end();
    }
  });
}

/** Our code where there is one, else the class name: low in cardinality, free of content. */
export function errorType(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}

/** Adds to the span under way, if there is one. */
export function setSpanAttributes(attributes: Attributes): void {
  trace.getActiveSpan()?.setAttributes(attributes);
}

/** The W3C `traceparent` of the span under way, to put into an event or header. */
export function traceparent(): string | undefined {
  const carrier: Record<string, string> = {};
  propagation.inject(context.active(), carrier);
  return carrier['traceparent'];
}

/** The trace id of the span under way: 32 hex digits. */
export function traceId(): string | undefined {
  return trace.getActiveSpan()?.spanContext().traceId;
}

/** The trace id inside a `traceparent`; undefined when it is none. */
export function traceIdOf(parent: string | undefined): string | undefined {
  return /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}/.exec(parent ?? '')?.[1];
}

/** Runs `work` as a continuation of the trace that `parent` names; a malformed or absent one starts a new trace. */
export function withTraceparent<T>(parent: string | undefined, work: () => T): T {
  if (parent === undefined) return work();
  return context.with(propagation.extract(context.active(), { traceparent: parent }), work);
}

/** Runs `work` outside the trace under way, so that a long-lived loop does not hang below the span that started it. */
export function withoutTrace<T>(work: () => T): T {
  return context.with(trace.deleteSpan(context.active()), work);
}
