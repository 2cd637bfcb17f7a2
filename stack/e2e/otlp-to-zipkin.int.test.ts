import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { startBridge } from './otlp-to-zipkin.ts';

test('a span arrives with its trace, parent, kind, service, time in microseconds and tags', async () => {
  const received: unknown[] = [];
  const zipkin = createServer(async (request, response) => {
    received.push({ path: request.url, body: await json(request) });
    response.writeHead(202).end();
  });
  await new Promise<void>((resolve) => zipkin.listen(0, '127.0.0.1', resolve));
  const bridge = await startBridge(`http://127.0.0.1:${(zipkin.address() as AddressInfo).port}`);
  const span = {
    traceId: '4efab6b70fb8cf5e9a89d5b76ac34fff',
    spanId: '00f067aa0ba902b7',
    parentSpanId: 'b7ad6b7169203331',
    name: 'process run.requested.v1',
    kind: 5,
    startTimeUnixNano: '1700000000000000000',
    endTimeUnixNano: '1700000000001500000',
    attributes: [{ key: 'messaging.batch.message_count', value: { intValue: 3 } }],
  };
  const response = await fetch(`${bridge.url}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      resourceSpans: [
        {
          resource: { attributes: [{ key: 'service.name', value: { stringValue: 'preprocessing' } }] },
          scopeSpans: [{ spans: [span] }],
        },
      ],
    }),
  });
  expect(response.status).toBe(200);
  expect(received).toEqual([
    {
      path: '/api/v2/spans',
      body: [
        {
          traceId: span.traceId,
          id: span.spanId,
          parentId: span.parentSpanId,
          name: span.name,
          kind: 'CONSUMER',
          timestamp: 1_700_000_000_000_000,
          duration: 1500,
          localEndpoint: { serviceName: 'preprocessing' },
          tags: { 'messaging.batch.message_count': '3' },
        },
      ],
    },
  ]);
  zipkin.close();
  const refused = await fetch(`${bridge.url}/v1/traces`, { method: 'POST', body: '{' });
  expect(refused.status).toBe(502);
  await bridge.close();
});
