import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const handOver = join(dirname(fileURLToPath(import.meta.url)), 'hand-over.mjs');

/** A process that hands over to one that runs `code`; resolves when that has printed its id. */
async function started(code: string) {
  const program = `
    import { handOver } from ${JSON.stringify(handOver)};
    handOver(process.execPath, ['-e', ${JSON.stringify(code)}]);
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exit = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const printed = await new Promise<string>((resolve) => child.stdout.once('data', (text) => resolve(String(text))));
  return { child, exit, inner: Number(printed) };
}

test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
  '%s ends the program gracefully before its starter',
  async (signal) => {
    const { child, exit, inner } = await started(`
    process.on('${signal}', () => setTimeout(() => process.exit(7), 200));
    setInterval(() => {}, 1000);
    console.log(process.pid);
  `);
    child.kill(signal);
    expect(await exit).toBe(7);
    expect(() => process.kill(inner, 0)).toThrow();
  },
);

test("the exit status is the program's own", async () => {
  const { exit } = await started('console.log(process.pid); setTimeout(() => process.exit(3), 50)');
  expect(await exit).toBe(3);
});

test('a program that cannot be started is status 1', async () => {
  const program = `import { handOver } from ${JSON.stringify(handOver)}; handOver('no-such-program-here', []);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: 'ignore' });
  expect(await new Promise((resolve) => child.once('exit', resolve))).toBe(1);
});
