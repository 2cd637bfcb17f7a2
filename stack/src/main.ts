/** `stack up|down|status|env|install [servers…]`: see ../README.md. */
import { parseArgs } from 'node:util';
import { asEngramError, EngramError } from '@engram/errors';
import { ensureInstalled } from './install/ensure-installed.ts';
import { findRunning, type RunningServer, removeData, type StartOptions } from './run/start-server.ts';
import { startServers } from './run/start-servers.ts';
import type { ServerDefinition } from './server.ts';
import { serversNamed } from './servers/index.ts';

const USAGE = `usage: stack up|down|status|env|install [--dir DIR] [--keep] [--record] [servers…]
  up       install what is missing, start, print the environment
  down     stop and remove the data (--keep keeps it)
  status   what runs where
  env      print the environment of what runs
  install  fetch only (--record: anew, and write down the checksums)
`;

interface Options extends StartOptions {
  readonly keep: boolean;
  readonly record: boolean;
}

type Command = (servers: readonly ServerDefinition[], options: Options) => Promise<void>;

const commands: Readonly<Record<string, Command>> = {
  async up(servers, { dir, progress = () => {} }) {
    const running = await startServers(
      servers.map(({ name }) => name),
      { dir, progress },
    );
    process.stdout.write(environmentLines(running));
  },
  async down(servers, { dir, keep }) {
    for (const server of servers) {
      await (await findRunning(server, dir))?.stop();
      if (!keep) await removeData(server, dir);
    }
  },
  async status(servers, { dir }) {
    for (const server of servers) {
      const running = await findRunning(server, dir);
      const state = running ? `${running.url} (process ${running.pid}, log ${running.log})` : 'not running';
      process.stdout.write(`${`${server.name} ${server.version}`.padEnd(50)} ${state}\n`);
    }
  },
  async env(servers, { dir }) {
    const found = await Promise.all(servers.map((server) => findRunning(server, dir)));
    process.stdout.write(environmentLines(found.filter((server) => server !== undefined)));
  },
  async install(servers, { record, progress = () => {} }) {
    for (const server of servers) {
      process.stdout.write(`${await ensureInstalled(server, { record, progress })}\n`);
    }
  },
};

/** Lines that a shell takes by `eval`. No value holds a quote: all are made of ports and constants. */
const environmentLines = (running: readonly RunningServer[]): string =>
  running
    .flatMap(({ environment }) => Object.entries(environment))
    .map(([name, value]) => `export ${name}='${value}'\n`)
    .join('');

function readArguments(args: readonly string[]): { command: Command; names: string[]; options: Options } {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      dir: { type: 'string', default: '.engram/stack' },
      keep: { type: 'boolean', default: false },
      record: { type: 'boolean', default: false },
    },
  });
  const [verb = '', ...names] = positionals;
  const command = commands[verb];
  if (command === undefined) throw new EngramError('REQUEST_INVALID', USAGE, { field: 'command' });
  const progress = (text: string): void => void process.stderr.write(`${text}\n`);
  return { command, names, options: { ...values, progress } };
}

try {
  const { command, names, options } = readArguments(process.argv.slice(2));
  await command(serversNamed(names), options);
} catch (thrown) {
  const error = asEngramError(thrown);
  process.stderr.write(`stack: ${error.message} (${error.code})\n`);
  process.exitCode = 1;
}
