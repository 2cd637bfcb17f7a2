/** Runs schedules: `--seed N` replays one with its trace; `--from N --count M` runs many. Exit status 1 when one fails. */
import { parseArgs } from 'node:util';
import { type Done, simulateMany } from './many.ts';
import { record } from './recorded.ts';
import { simulate } from './simulate.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    from: { type: 'string', default: '1' },
    count: { type: 'string', default: '200' },
    most: { type: 'string', default: '5' },
  },
});

const print = (text: string): void => void process.stdout.write(`${text}\n`);

function report({ seed, failures, steps, virtualSeconds, hash, faults }: Done): void {
  print(`seed ${seed}: ${steps} steps, ${virtualSeconds} virtual seconds, trace ${hash}`);
  print(`faults ${JSON.stringify(faults)}`);
  for (const failure of failures) print(`  FAILED ${failure}`);
}

if (values.seed !== undefined) {
  const outcome = await simulate(Number(values.seed), await record());
  for (const line of outcome.trace) print(line);
  report(outcome);
  process.exitCode = outcome.failures.length > 0 ? 1 : 0;
} else {
  const [from, count, most] = [Number(values.from), Number(values.count), Number(values.most)];
  const started = performance.now();
  let [failed, steps, done] = [0, 0, 0];
  await simulateMany({
    from,
    count,
    most,
    onDone(outcome) {
      done++;
      steps += outcome.steps;
      if (outcome.failures.length === 0) return;
      failed++;
      report(outcome);
    },
  });
  const seconds = (performance.now() - started) / 1000;
  print(
    `${done} schedules, ${failed} failed, ${Math.round(steps / done)} steps each, ${(done / seconds).toFixed(1)} schedules per second`,
  );
  process.exitCode = failed > 0 || (done < count && failed < most) ? 1 : 0;
}
