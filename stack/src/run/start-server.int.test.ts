import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { ServerDefinition } from '../server.ts';
import { getJson, httpUrl } from './http.ts';
import { findRunning, removeData, type StartOptions, startServer } from './start-server.ts';

/** Counts its starts in its own folder; `ending` makes it stubborn or short-lived. */
const program = (ending: string): string => `
  const { appendFileSync, readFileSync } = require('node:fs');
  appendFileSync('starts', 'x');
  console.log('a line of its log');
  ${ending}
  require('node:http').createServer((_, response) => response.end(JSON.stringify(readFileSync('starts', 'latin1').length)))
    .listen(Number(process.argv[1]), '127.0.0.1');
`;

const server = (ending = ''): ServerDefinition => ({
  name: 'counter',
  version: '1',
  ports: ['http'],
  startupMs: 10_000,
  install: async ({ folder }) => writeFileSync(join(folder, 'installed'), ''),
  launch: async ({ ports }) => ({
    program: process.execPath,
    args: ['-e', program(ending), String(ports['http'])],
  }),
  ready: async ({ ports }) => void (await getJson(httpUrl(ports['http']))),
  environment: ({ ports }) => ({ COUNTER_URL: httpUrl(ports['http']) }),
});

let root: string;
let options: StartOptions;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'engram-stack-'));
  options = { cache: join(root, 'cache'), dir: join(root, 'state') };
});
afterEach(async () => {
  await (await findRunning(server(), options.dir))?.stop();
  rmSync(root, { recursive: true, force: true });
});

/** An ended child is there until its parent, this process, has taken note of it. */
const gone = (pid: number) => vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow());

test('a server is installed once, found by others, and keeps its data and ports over a stop', async () => {
  const first = await startServer(server(), options);
  expect(readdirSync(join(root, 'cache', 'stack'))).toEqual(['counter-1']);
  expect(await getJson(first.url)).toBe(1);
  expect(await startServer(server(), options)).toMatchObject({ pid: first.pid, url: first.url });
  await first.stop();
  await gone(first.pid);
  expect(await findRunning(server(), options.dir)).toBeUndefined();
  const second = await startServer(server(), options);
  expect(second.url).toBe(first.url);
  expect(await getJson(second.url)).toBe(2);
  await second.kill();
  await gone(second.pid);
  expect(readFileSync(second.log, 'utf8')).toContain('a line of its log');
  await removeData(server(), options.dir);
  expect(existsSync(join(options.dir, 'counter'))).toBe(false);
});

test('one that ends while starting is an error with its last lines', async () => {
  const failing = startServer(server('process.exit(1);'), options);
  await expect(failing).rejects.toMatchObject({
    code: 'UPSTREAM_FAILED',
    message: expect.stringMatching(/counter ended while starting[\s\S]*a line of its log/),
  });
});

test('one that cannot be installed leaves nothing in the cache', async () => {
  const broken: ServerDefinition = {
    ...server(),
    install: async ({ folder }) => {
      writeFileSync(join(folder, 'half'), '');
      throw new Error('no network');
    },
  };
  await expect(startServer(broken, options)).rejects.toThrow('no network');
  expect(readdirSync(join(root, 'cache', 'stack'))).toEqual([]);
});
