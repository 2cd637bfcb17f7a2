/** Writes records 0, 1, 2, … until it is killed, and prints each number once its write has been acknowledged. */
import { openRecords } from '../open.ts';

const records = await openRecords(process.argv[2] ?? '');
const writes = records.collection<{ n: number; filler: string }>({ name: 'test.writes', indexes: ['n'] });
for (let n = 0; n < 100_000; n++) {
  await writes.insert(`w-${n}`, { n, filler: 'x'.repeat(2000) });
  process.stdout.write(`${n}\n`);
}
