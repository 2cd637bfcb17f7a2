/**
 * Many scans at once through real Kafka, S3 and records: `npm run scale [-- --scans 100,200,400] [--task-ms N] [--real-fhir N]`.
 * The imaging pipeline is a recorded result; the FHIR server is a stand-in that counts, but for N of the patients, who live on HAPI. See ../README.md.
 */
import { parseArgs } from 'node:util';
import { endAllEngrams } from '../e2e/platform.ts';
import { Report } from '../e2e/report.ts';
import { tableOf } from './table.ts';
import { type ScaleResult, scaleTrial } from './trial.ts';

const { values } = parseArgs({
  options: {
    scans: { type: 'string', default: '100,200' },
    'task-ms': { type: 'string', default: '200' },
    'real-fhir': { type: 'string', default: '0' },
  },
});
const report = new Report();
const results: ScaleResult[] = [];
let last = '';
const say = (text: string): void => {
  if (text !== last) process.stderr.write(`${text}\n`);
  last = text;
};

const interrupted = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interrupted.abort(new Error(name)));

try {
  for (const scans of values.scans.split(',').map(Number)) {
    await report.check(`${scans} scans`, 'all of them go through', async () => {
      const { signal } = interrupted;
      signal.throwIfAborted();
      const taskMs = Number(values['task-ms']);
      results.push(await scaleTrial({ scans, taskMs, realFhir: Number(values['real-fhir']), report, signal, say }));
      return undefined;
    });
  }
} finally {
  endAllEngrams();
}
process.stdout.write(`${tableOf(results)}\n\n${report.text()}`);
process.exit(report.failed === 0 ? 0 : 1);
