/** Puts objects of 200 000 bytes until it is killed, and prints a line once each has been acknowledged. */
import { openObjects } from '../open.ts';

const objects = await openObjects(process.argv[2] ?? '');
for (let n = 0; n < 1000; n++) {
  await objects.put(`runs/${n}`, Buffer.alloc(200_000, n));
  process.stdout.write(`${n}\n`);
}
