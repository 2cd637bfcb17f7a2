/** Consumes run.requested.v1 and writes each delivery into a ledger file, slowly enough to be killed in the middle. */
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { openBus } from './open.ts';

const [url = '', ledger = '', group = ''] = process.argv.slice(2);
const bus = await openBus(url, { pollMs: 20, leaseMs: 600 });
await bus.subscribe({
  group,
  types: ['run.requested.v1'],
  concurrency: 3,
  async handler({ event, attempt }) {
    // One event in nine fails on its first try, so that the retry topic is killed over as well.
    if (event.subjectversion % 9 === 0 && attempt === 1) throw new Error('not yet');
    await sleep(4);
    appendFileSync(ledger, `${event.partitionkey[0]} ${event.subjectversion} ${attempt}\n`);
  },
  retryDelaysMs: [50, 50, 50],
});
process.stdout.write('ready\n');
