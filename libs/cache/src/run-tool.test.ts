import { expect, test } from 'vitest';
import { runTool } from './run-tool.ts';

const node = (code: string, timeoutMs?: number) =>
  runTool(process.execPath, ['-e', code], { cwd: '.', ...(timeoutMs === undefined ? {} : { timeoutMs }) });

test('what a program prints is returned', async () => {
  expect(await node('console.log(process.env.LC_ALL)')).toBe('C\n');
});

test.each([
  ['console.error("E: no such package"); process.exit(100)', /E: no such package/],
  ['console.log("[ERROR] no such artefact"); process.exit(1)', /no such artefact/],
  ['process.exit(3)', /failed$/],
])('a failure tells the first error line: %s', async (code, message) => {
  await expect(node(code)).rejects.toMatchObject({
    code: 'PACKAGE_UNAVAILABLE',
    message: expect.stringMatching(message),
  });
});

test('a program that is not there and one that never ends are told apart', async () => {
  await expect(runTool('no-such-program-here', [], { cwd: '.' })).rejects.toThrow('is not installed here');
  await expect(node('setInterval(() => {}, 1000)', 300)).rejects.toThrow('took too long');
});
