/** Opens the ports that a configuration names, once a process, whatever services share them. */
import { type Bus, openBus, relayOutbox } from '@engram/bus';
import type { Config } from '@engram/config';
import { type Objects, openObjects } from '@engram/objects';
import { openRecords, type Records } from '@engram/records';
import type { Logger } from '@engram/telemetry';

export interface Adapters {
  readonly bus: Bus;
  readonly objects: Objects;
  readonly records: Records;
  /** Stops the relay after a last look, then closes the ports in the order of their dependence. */
  close(): Promise<void>;
}

/** @throws CONFIG_INVALID when no adapter speaks a URL; DISK_FULL or UPSTREAM_FAILED when one cannot be opened. */
export async function openAdapters(
  config: Pick<Config, 'bus' | 'objects' | 'records'>,
  logger: Logger,
): Promise<Adapters> {
  const records = await openRecords(config.records);
  const objects = await openObjects(config.objects);
  const bus = await openBus(config.bus, { logger });
  const stop = new AbortController();
  const relaying = relayOutbox({ records, bus, signal: stop.signal, logger });
  return {
    bus,
    objects,
    records,
    async close() {
      stop.abort();
      await relaying;
      await bus.close();
      await objects.close();
      await records.close();
    },
  };
}
