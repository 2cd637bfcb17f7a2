import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseAllowList } from './allow-list.ts';
import { guardedFetch } from './guarded-fetch.ts';

let server: Server;
let port: number;
let asked: string[] = [];
beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(request.url ?? '');
    if (request.url === '/redirect') response.writeHead(302, { location: '/secret' }).end();
    else if (request.url === '/large') {
      response.writeHead(200);
      for (let i = 0; i < 64; i++) response.write(Buffer.alloc(16 * 1024));
      response.end();
    } else if (request.url === '/slow') response.writeHead(200).write('a');
    else if (request.url === '/cut') {
      response.writeHead(200, { 'content-length': '100' }).write('a');
      setImmediate(() => response.destroy());
    } else if (request.url === '/empty') response.writeHead(204).end();
    else request.pipe(response.writeHead(200, { 'x-seen': request.headers['x-sent'] ?? '' }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const guarded = (host = '127.0.0.1', options: Partial<Parameters<typeof guardedFetch>[0]> = {}) =>
  guardedFetch({ allow: parseAllowList([`http://${host}:${port}`]), ...options });

test('an exact entry wins over the refusal of private addresses and plain http', async () => {
  const answer = await guarded()(`http://127.0.0.1:${port}/echo`, {
    method: 'POST',
    body: 'hello',
    headers: { 'x-sent': 'seen' },
  });
  expect([await answer.text(), answer.headers.get('x-seen')]).toEqual(['hello', 'seen']);
  expect((await guarded()(`http://127.0.0.1:${port}/empty`)).status).toBe(204);
});

test('a redirect is refused and not followed', async () => {
  asked = [];
  await expect(guarded()(`http://127.0.0.1:${port}/redirect`)).rejects.toMatchObject({ code: 'URL_REFUSED' });
  expect(asked).toEqual(['/redirect']);
});

test.each(['169.254.169.254', '0.0.0.0', '224.0.0.1', '::ffff:169.254.169.254', 'fe80::1', 'fd00:ec2::254'])(
  'an allowed name that leads to %s is refused before a byte is sent',
  async (address) => {
    const family = address.includes(':') ? 6 : 4;
    const fetch = guarded('pacs.example', { resolve: async () => [{ address, family }] });
    await expect(fetch(`http://pacs.example:${port}/`)).rejects.toMatchObject({ code: 'URL_REFUSED' });
  },
);

test('a name is resolved once for a connection, so that it cannot lead elsewhere between check and use', async () => {
  const answers = ['127.0.0.1', '169.254.169.254'];
  let resolved = 0;
  const fetch = guarded('pacs.example', {
    resolve: async () => [{ address: answers[resolved++] ?? '169.254.169.254', family: 4 }],
  });
  expect((await fetch(`http://pacs.example:${port}/ok`)).status).toBe(200);
  expect(resolved).toBe(1);
});

test('more bytes than the limit, too slow, cut short and unreachable are coded failures', async () => {
  const base = `http://127.0.0.1:${port}`;
  const large = await guarded()(`${base}/large`, { maxBytes: 100_000 });
  await expect(large.arrayBuffer()).rejects.toMatchObject({ code: 'FILE_TOO_LARGE' });
  const slow = await guarded()(`${base}/slow`, { timeoutMs: 200 });
  await expect(slow.text()).rejects.toMatchObject({ code: 'UPSTREAM_FAILED' });
  const cut = await guarded()(`${base}/cut`);
  await expect(cut.text()).rejects.toMatchObject({ code: 'UPSTREAM_FAILED' });
  const nobody = guardedFetch({ allow: parseAllowList(['http://127.0.0.1:1']) });
  await expect(nobody('http://127.0.0.1:1/')).rejects.toMatchObject({ code: 'UPSTREAM_FAILED' });
});

test('a server that hangs up while its answer waits to be read ends neither the process nor the answer', async () => {
  // Node's own fetch asserts here, out of reach of any catch: https://github.com/nodejs/undici/issues/5360
  const body = Buffer.alloc(64 * 1024, 'a');
  const hasty: TcpServer = createTcpServer((socket) => {
    socket.once('data', () => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`);
      socket.end(body);
    });
  });
  await new Promise<void>((resolve) => hasty.listen(0, '127.0.0.1', resolve));
  try {
    const base = `http://127.0.0.1:${(hasty.address() as AddressInfo).port}`;
    const answer = await guardedFetch({ allow: parseAllowList([base]) })(base);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(Buffer.from(await answer.arrayBuffer())).toEqual(body);
  } finally {
    hasty.close();
  }
});
