/**
 * The port's promises on any other R4 server, named by `FHIR_URL` (`npm run stack -- up hapi` starts one and prints it).
 * The server must be able to reach this machine's loopback.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { guardedFetch, parseAllowList } from '@engram/http';
import { afterAll, describe } from 'vitest';
import { openFhir } from './client/open.ts';
import { fhirConformance, type Received } from './conformance.ts';

const url = process.env['FHIR_URL'];

describe.skipIf(url === undefined)('another FHIR server (needs FHIR_URL)', () => {
  const received: Received[] = [];
  const endpoint = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      received.push({ method: request.method ?? '', path: request.url ?? '', headers: request.headers, body });
      response.writeHead(200, { 'content-type': 'application/fhir+json' }).end(body);
    });
  });
  afterAll(() => {
    endpoint.closeAllConnections();
    endpoint.close();
  });
  fhirConformance(url ?? '', async () => {
    await new Promise<void>((resolve) => endpoint.listen(0, '127.0.0.1', resolve));
    const address = url ?? '';
    return {
      fhir: openFhir({ url: address, fetch: guardedFetch({ allow: parseAllowList([new URL(address).origin]) }) }),
      endpoint: `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}`,
      received: () => received,
      patienceMs: 60_000,
    };
  });
});
