import { ensureInstalled } from '../install/ensure-installed.ts';
import { serversNamed } from '../servers/index.ts';
import { type RunningServer, type StartOptions, startServer } from './start-server.ts';

/**
 * Installs the named servers one after the other, then starts them together.
 * @param names none means all.
 * @throws what `startServer` throws; the others that were started are stopped first.
 */
export async function startServers(names: readonly string[], options: StartOptions): Promise<RunningServer[]> {
  const servers = serversNamed(names);
  for (const server of servers) await ensureInstalled(server, options);
  const started = await Promise.allSettled(servers.map((server) => startServer(server, options)));
  const failed = started.find((result) => result.status === 'rejected');
  const running = started.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  if (failed === undefined) return running;
  await Promise.all(running.map((server) => server.stop()));
  throw failed.reason;
}
