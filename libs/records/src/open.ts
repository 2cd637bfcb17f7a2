/** Chooses the adapter by the URL's scheme. */
import { EngramError } from '@engram/errors';
import type { Records } from './port.ts';
import { openSqliteRecords } from './sqlite/records.ts';

const openMongo = async (url: string): Promise<Records> => (await import('./mongodb/records.ts')).openMongoRecords(url);

/** Scheme to adapter, all held to one conformance suite. Mongoose is loaded where it is used only. */
const adapters: Readonly<Record<string, (url: string) => Records | Promise<Records>>> = {
  'sqlite:': openSqliteRecords,
  'mongodb:': openMongo,
  'mongodb+srv:': openMongo,
};

/**
 * @example
 * const here = await openRecords('sqlite:///var/lib/engram/records.db');
 * const shared = await openRecords('mongodb://mongo.example.org/engram?replicaSet=rs0&tls=true');
 * @throws CONFIG_INVALID when no adapter has the URL's scheme or the URL will not do; UPSTREAM_FAILED when no server answers.
 */
export async function openRecords(url: string): Promise<Records> {
  const scheme = /^[a-z][a-z0-9+.-]*:/.exec(url)?.[0] ?? '';
  const open = adapters[scheme];
  if (!open) {
    throw new EngramError('CONFIG_INVALID', `no record store speaks ${scheme || 'a URL without scheme'}`, {
      field: 'ENGRAM_RECORDS_URL',
    });
  }
  return open(url);
}
