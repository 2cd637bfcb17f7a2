/** Chooses the adapter by the URL's scheme. */
import { EngramError } from '@engram/errors';
import type { Bus } from './port.ts';
import { openSqliteBus, type SqliteBusOptions } from './sqlite/bus.ts';

export type OpenBusOptions = SqliteBusOptions;

/** Scheme to adapter. A distributed one (`kafka:`) is one more entry here, held to the same conformance suite. */
const adapters: Readonly<Record<string, (url: string, options: OpenBusOptions) => Bus | Promise<Bus>>> = {
  'sqlite:': openSqliteBus,
};

/**
 * @example const bus = await openBus('sqlite:///var/lib/engram/bus.db');
 * @throws CONFIG_INVALID when no adapter has the URL's scheme.
 */
export async function openBus(url: string, options: OpenBusOptions = {}): Promise<Bus> {
  const scheme = /^[a-z][a-z0-9+.-]*:/.exec(url)?.[0] ?? '';
  const open = adapters[scheme];
  if (!open) {
    throw new EngramError('CONFIG_INVALID', `no bus speaks ${scheme || 'a URL without scheme'}`, {
      field: 'ENGRAM_BUS_URL',
    });
  }
  return open(url, options);
}
