/** From an application to an address, refusing what would expose it. */
import type { AddressInfo } from 'node:net';
import { EngramError } from '@engram/errors';
import type { FastifyInstance } from 'fastify';

export interface Binding {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** 0 takes a free one. */
  readonly port: number;
}

export interface Protection {
  readonly token?: string | undefined;
  readonly tls?: unknown;
  /** The operator states that a proxy in front ends TLS. */
  readonly behindProxy?: boolean;
}

export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);

/** @throws CONFIG_INVALID off the loopback without a token, or without TLS or a stated proxy. */
export function checkBinding(host: string, { token, tls, behindProxy = false }: Protection): void {
  if (isLoopback(host)) return;
  if (!token) {
    throw new EngramError('CONFIG_INVALID', `listening on ${host} needs a token`, { field: 'ENGRAM_TOKEN' });
  }
  if (!tls && !behindProxy) {
    const message = `listening on ${host} needs a TLS certificate and key, or the statement that a proxy ends TLS`;
    throw new EngramError('CONFIG_INVALID', message, { field: 'ENGRAM_TLS_CERT' });
  }
}

/**
 * @returns the base URL, without a trailing slash.
 * @throws PORT_TAKEN when another process listens there.
 */
export async function listen(app: FastifyInstance, { host = '127.0.0.1', port }: Binding): Promise<string> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') {
      throw new EngramError('PORT_TAKEN', `port ${port} on ${host} is in use by another process`, { cause: error });
    }
    throw error;
  }
  // A TCP listener always has an AddressInfo; only a pipe has a string.
  const address = app.server.address() as AddressInfo;
  const shown = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  const scheme = 'setSecureContext' in app.server ? 'https' : 'http';
  return `${scheme}://${shown}:${address.port}`;
}
