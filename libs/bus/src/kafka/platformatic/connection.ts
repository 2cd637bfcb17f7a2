/** How every client object of @platformatic/kafka is opened here. */
import { isIP } from 'node:net';
import type { BaseOptions } from '@platformatic/kafka';
import type { ClientOptions } from '../client.ts';

export type Connection = Pick<BaseOptions, 'clientId' | 'bootstrapBrokers' | 'connectTimeout' | 'timeout' | 'retries'> &
  Pick<BaseOptions, 'retryDelay' | 'tls' | 'tlsServerName' | 'sasl'>;

const MECHANISMS = { plain: 'PLAIN', 'scram-sha-256': 'SCRAM-SHA-256', 'scram-sha-512': 'SCRAM-SHA-512' } as const;

export function connectionOf({ brokers, clientId, tls, login }: ClientOptions): Connection {
  return {
    clientId,
    bootstrapBrokers: [...brokers],
    connectTimeout: 3_000,
    timeout: 15_000,
    // The adapter tries again by itself, so that one failed request is soon known.
    retries: 3,
    retryDelay: 300,
    // A name is told to the server for its choice of certificate; an address must not be.
    ...(tls ? { tls: {}, tlsServerName: !brokers.some((broker) => isIP(hostOf(broker))) } : {}),
    ...(login ? { sasl: { ...login, mechanism: MECHANISMS[login.mechanism] } } : {}),
  };
}

const hostOf = (broker: string): string => broker.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
