/** For tests: an embedded server on a free port, a client of it, and an endpoint that remembers what it was told. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { guardedFetch, listen, parseAllowList } from '@engram/http';
import { openFhir } from '../client/open.ts';
import type { Received } from '../conformance.ts';
import { buildFhirServer, type FhirServerDeps } from './server.ts';

/** Reaches any port of this machine: the ports of a test are not known beforehand. */
export function loopbackFetch(): typeof guarded {
  return guarded;
}
const guarded = (url: string, init?: Parameters<ReturnType<typeof guardedFetch>>[1]) =>
  guardedFetch({ allow: parseAllowList([new URL(url).origin]) })(url, init);

export async function openEmbedded(options: Partial<FhirServerDeps> = {}) {
  const received: Received[] = [];
  let answer = 200;
  const endpoint = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      received.push({ method: request.method ?? '', path: request.url ?? '', headers: request.headers, body });
      response.writeHead(answer).end('{"resourceType":"OperationOutcome","issue":[]}');
    });
  });
  await new Promise<void>((resolve) => endpoint.listen(0, '127.0.0.1', resolve));
  const app = await buildFhirServer({ database: 'sqlite::memory:', fetch: loopbackFetch(), ...options });
  const url = await listen(app, { port: 0 });
  const fhir = openFhir({ url: `${url}/fhir`, fetch: loopbackFetch() });
  return {
    app,
    fhir,
    base: fhir.base,
    endpoint: `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}`,
    received: () => received,
    answerWith: (status: number) => {
      answer = status;
    },
    async close() {
      await app.close();
      endpoint.closeAllConnections();
      endpoint.close();
    },
  };
}
