/**
 * An HTTP server in front of another that fails as servers and lines fail, request by request as the test says: what
 * `toxiproxy` cannot do, because it knows connections only.
 */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * - `unavailable`: 503 SlowDown, and the server behind never hears of it.
 * - `lost-answer`: the server does what it was asked, and the client is told 500.
 * - `truncated`: the connection breaks after half the body of the answer.
 * - `altered`: one bit of the answer's body is another.
 * - `stalled`: half the body of the answer, then silence.
 * - `slow`: the answer comes after `slowMs`.
 */
export type Fault = 'unavailable' | 'lost-answer' | 'truncated' | 'altered' | 'stalled' | 'slow';

export interface ProxiedRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

export interface FaultProxyOptions {
  /** Origin of the server behind, `http://host:port`. */
  readonly target: string;
  readonly fault: (request: ProxiedRequest) => Fault | undefined;
  /** Default 200 ms. */
  readonly slowMs?: number;
}

export interface FaultProxy {
  /** `http://127.0.0.1:port`. */
  readonly url: string;
  readonly requests: readonly (ProxiedRequest & { readonly fault: Fault | undefined })[];
  close(): Promise<void>;
}

const SLOW_DOWN =
  '<?xml version="1.0"?><Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>';
const INTERNAL = '<?xml version="1.0"?><Error><Code>InternalError</Code><Message>Please try again.</Message></Error>';

/** The `Host` header goes through as it came, so that a signature over it holds on both sides. */
export async function startFaultProxy({ target, fault, slowMs = 200 }: FaultProxyOptions): Promise<FaultProxy> {
  const requests: (ProxiedRequest & { fault: Fault | undefined })[] = [];
  const server = createServer((incoming, outgoing) => {
    const seen = { method: incoming.method ?? '', path: incoming.url ?? '', headers: incoming.headers };
    const chosen = fault(seen);
    requests.push({ ...seen, fault: chosen });
    const done = chosen === 'unavailable' ? refuse(incoming, outgoing) : pass(incoming, outgoing, chosen);
    done.catch(() => outgoing.destroy());
  });

  async function pass(incoming: IncomingMessage, outgoing: ServerResponse, chosen: Fault | undefined): Promise<void> {
    const body = await bytesOf(incoming);
    const onward = request(`${target}${incoming.url}`, { method: incoming.method, headers: incoming.headers });
    onward.end(body);
    const [answer] = (await once(onward, 'response')) as [IncomingMessage];
    const bytes = await bytesOf(answer);
    if (chosen === 'lost-answer') {
      outgoing.writeHead(500, { 'content-type': 'application/xml' }).end(INTERNAL);
      return;
    }
    if (chosen === 'slow') await sleep(slowMs);
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    await send(outgoing, bytes, chosen);
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function refuse(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  await bytesOf(incoming);
  outgoing.writeHead(503, { 'content-type': 'application/xml' }).end(SLOW_DOWN);
}

async function send(outgoing: ServerResponse, bytes: Buffer, chosen: Fault | undefined): Promise<void> {
  const half = bytes.subarray(0, bytes.length >> 1);
  if (chosen === 'truncated') {
    await new Promise((resolve) => outgoing.write(half, resolve));
    outgoing.destroy();
  } else if (chosen === 'stalled') {
    outgoing.write(half);
  } else {
    if (chosen === 'altered' && bytes.length > 0) bytes[half.length] = (bytes[half.length] ?? 0) ^ 1;
    outgoing.end(bytes);
  }
}

async function bytesOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk);
  return Buffer.concat(chunks);
}
