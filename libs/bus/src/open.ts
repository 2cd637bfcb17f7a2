/** Chooses the adapter by the URL's scheme. */
import { EngramError } from '@engram/errors';
import { type KafkaBusOptions, openKafkaBus } from './kafka/bus.ts';
import type { Bus } from './port.ts';
import { openSqliteBus, type SqliteBusOptions } from './sqlite/bus.ts';

export type OpenBusOptions = SqliteBusOptions & KafkaBusOptions;

/** Scheme to adapter; each is held to the same conformance suite. */
const adapters: Readonly<Record<string, (url: string, options: OpenBusOptions) => Bus | Promise<Bus>>> = {
  'sqlite:': openSqliteBus,
  'kafka:': openKafkaBus,
};

/**
 * @example const bus = await openBus('sqlite:///var/lib/engram/bus.db');
 * @example const bus = await openBus('kafka://broker-1:9092,broker-2:9092?replication=3');
 * @throws CONFIG_INVALID when no adapter has the URL's scheme, or the adapter's URL is wrong.
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
