import { createServer } from 'node:net';
import { HOST } from '../server.ts';

/** `count` different ports that nothing listens on just now. */
export async function freePorts(count: number): Promise<number[]> {
  const holders = await Promise.all(Array.from({ length: count }, holdPort));
  const ports = holders.map(({ port }) => port);
  await Promise.all(holders.map(({ release }) => release()));
  return ports;
}

async function holdPort(): Promise<{ port: number; release: () => Promise<void> }> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, HOST, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a listening server has no port');
  return { port: address.port, release: () => new Promise((resolve) => server.close(() => resolve())) };
}
