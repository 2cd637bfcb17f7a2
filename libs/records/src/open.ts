/** Chooses the adapter by the URL's scheme. */
import { EngramError } from '@engram/errors';
import type { Records } from './port.ts';
import { openSqliteRecords } from './sqlite/records.ts';

/** Scheme to adapter. A distributed one (`mongodb:`) is one more entry here, held to the same conformance suite. */
const adapters: Readonly<Record<string, (url: string) => Records | Promise<Records>>> = {
  'sqlite:': openSqliteRecords,
};

/**
 * @example const records = await openRecords('sqlite:///var/lib/engram/records.db');
 * @throws CONFIG_INVALID when no adapter has the URL's scheme.
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
