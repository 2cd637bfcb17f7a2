/**
 * The part of an OpenTelemetry collector that the test needs: takes OTLP over HTTP in JSON, as Engram's exporter sends it,
 * and gives Zipkin the same spans in its own JSON, which is all that Zipkin takes.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

interface Attribute {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes?: readonly Attribute[];
}

interface OtlpTraces {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly OtlpSpan[] }[];
  }[];
}

export interface Bridge {
  /** What ENGRAM_OTLP_URL is set to. */
  readonly url: string;
  close(): Promise<void>;
}

/** @param zipkin base URL. */
export async function startBridge(zipkin: string): Promise<Bridge> {
  const server = createServer((request, response) => {
    json(request)
      .then((body) => forward(zipkin, body as OtlpTraces))
      .then(
        (status) => response.writeHead(status, { 'content-type': 'application/json' }).end('{}'),
        () => response.writeHead(502).end(),
      );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

async function forward(zipkin: string, traces: OtlpTraces): Promise<number> {
  const response = await fetch(`${zipkin}/api/v2/spans`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(zipkinSpans(traces)),
  });
  await response.arrayBuffer();
  return response.ok ? 200 : 502;
}

/** Zipkin has no kind for work inside a service. */
const KINDS: readonly (string | undefined)[] = [undefined, undefined, 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'];

function zipkinSpans({ resourceSpans }: OtlpTraces): unknown[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const serviceName = tagsOf(resource.attributes)['service.name'] ?? 'unknown';
    return scopeSpans.flatMap(({ spans }) => spans.map((span) => zipkinSpan(span, serviceName)));
  });
}

function zipkinSpan(span: OtlpSpan, serviceName: string): unknown {
  const start = BigInt(span.startTimeUnixNano) / 1000n;
  const end = BigInt(span.endTimeUnixNano) / 1000n;
  return {
    traceId: span.traceId,
    id: span.spanId,
    parentId: span.parentSpanId || undefined,
    name: span.name,
    kind: KINDS[span.kind],
    timestamp: Number(start),
    // Zipkin takes nought for "not known".
    duration: Math.max(1, Number(end - start)),
    localEndpoint: { serviceName },
    tags: tagsOf(span.attributes ?? []),
  };
}

const tagsOf = (attributes: readonly Attribute[]): Record<string, string> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, String(Object.values(value)[0])]));
