/** What the adapter makes of answers that no test server gives on demand: a server that says what it is told to say. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Objects } from '../port.ts';
import { openS3Objects } from './objects.ts';

interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Bytes of the body after which the connection breaks. */
  readonly breakAfter?: number;
}

type Reply = Answer | ((request: IncomingMessage) => Answer);

const ok: Answer = { status: 200 };
const failed = (status: number, code: string): Answer => ({
  status,
  headers: { 'content-type': 'application/xml' },
  body: `<Error><Code>${code}</Code><Message>told so</Message></Error>`,
});
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

let replies: Reply[];
let requests: IncomingMessage[];
let objects: Objects;
const closing: (() => Promise<void>)[] = [];

beforeEach(async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'a secret of the test');
  replies = [ok];
  requests = [];
  const server = createServer((request, response) => {
    requests.push(request);
    request.resume().on('end', () => {
      const reply = replies.shift() ?? failed(400, 'NothingLeftToSay');
      const { status, headers = {}, body = '', breakAfter } = typeof reply === 'function' ? reply(request) : reply;
      response.writeHead(status, { 'content-length': String(Buffer.byteLength(body)), ...headers });
      if (breakAfter === undefined) response.end(request.method === 'HEAD' ? undefined : body);
      else response.write(body.slice(0, breakAfter), () => response.destroy());
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  objects = await openS3Objects(`s3://bucket?endpoint=http://127.0.0.1:${port}`, { attempts: 3 });
  requests = [];
  closing.push(async () => {
    await objects.close();
    server.closeAllConnections();
    server.close();
  });
});
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const close of closing.splice(0)) await close();
});

const methods = () => requests.map(({ method }) => method);

test('a conditional put that met another under way is tried again', async () => {
  const absent = { status: 404 };
  replies = [failed(409, 'ConditionalRequestConflict'), absent, ok, ok];
  await objects.put('k', Buffer.from('x'), { ifAbsent: true });
  expect(methods()).toEqual(['PUT', 'HEAD', 'PUT', 'HEAD']);
  expect(requests[0]?.headers).toMatchObject({ 'if-none-match': '*', 'x-amz-meta-sha256': sha256('x') });
});

test('a conditional put that finds the object of its own lost answer is a success; that of another is not', async () => {
  const own = () => ({
    status: 200,
    headers: { 'x-amz-meta-put-id': String(requests[0]?.headers['x-amz-meta-put-id']) },
  });
  replies = [failed(500, 'InternalError'), failed(412, 'PreconditionFailed'), own];
  await objects.put('k', Buffer.from('x'), { ifAbsent: true });
  replies = [failed(412, 'PreconditionFailed'), { status: 200, headers: { 'x-amz-meta-put-id': 'another' } }];
  await expect(objects.put('k', Buffer.from('x'), { ifAbsent: true })).rejects.toMatchObject({ code: 'OBJECT_EXISTS' });
});

test('a put that the store keeps refusing is the store’s failure, and retryable', async () => {
  replies = [failed(503, 'SlowDown'), failed(503, 'SlowDown'), failed(503, 'SlowDown'), { status: 404 }];
  const error: unknown = await objects.put('k', Buffer.from('x')).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'UPSTREAM_FAILED', retryable: true, file: 'k' });
  expect(methods()).toEqual(['PUT', 'PUT', 'PUT', 'HEAD']);
});

test('a body that breaks off is read on from there, of the same object', async () => {
  const headers = { etag: '"e"', 'x-amz-meta-sha256': sha256('0123456789') };
  replies = [
    { status: 200, headers, body: '0123456789', breakAfter: 4 },
    { status: 206, headers: { ...headers, 'content-range': 'bytes 4-9/10' }, body: '456789' },
  ];
  expect(String(await objects.get('k'))).toBe('0123456789');
  expect(requests[1]?.headers).toMatchObject({ range: 'bytes=4-9', 'if-match': '"e"' });
});

test('an object replaced while it is read is read anew', async () => {
  const old = { etag: '"old"', 'x-amz-meta-sha256': sha256('0123456789') };
  const now = { etag: '"new"', 'x-amz-meta-sha256': sha256('new') };
  replies = [
    { status: 200, headers: old, body: '0123456789', breakAfter: 4 },
    failed(412, 'PreconditionFailed'),
    { status: 200, headers: now, body: 'new' },
  ];
  expect(String(await objects.get('k'))).toBe('new');
});

test.each([
  ['OBJECT_NOT_FOUND', failed(404, 'NoSuchKey')],
  ['CONFIG_INVALID', failed(404, 'NoSuchBucket')],
  ['CONFIG_INVALID', failed(403, 'AccessDenied')],
  ['DISK_FULL', failed(507, 'XMinioStorageFull')],
  ['UPSTREAM_FAILED', failed(400, 'ExpiredToken')],
])('%s is what an answer such as this is called', async (code, answer) => {
  replies = [answer, answer, answer];
  await expect(objects.get('k')).rejects.toMatchObject({ code });
});

test('a store that cannot be reached is said to be so when it is opened', async () => {
  const url = 's3://bucket?endpoint=http://127.0.0.1:1';
  await expect(openS3Objects(url, { attempts: 2 })).rejects.toMatchObject({ code: 'UPSTREAM_FAILED' });
});
