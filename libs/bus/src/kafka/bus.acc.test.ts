/** The conformance suite against a real broker, with each client library. */
import { describe } from 'vitest';
import { busConformance } from '../conformance.ts';
import { CLIENTS, KAFKA_URL, playground } from './under-test.fixture.ts';

describe.skipIf(!KAFKA_URL)('a broker at KAFKA_URL', () => {
  for (const client of CLIENTS) {
    busConformance(`kafka, ${client}`, async () => {
      const { open, close } = playground(client);
      return { bus: await open(), another: open, close, patienceMs: 60_000 };
    });
  }
});
