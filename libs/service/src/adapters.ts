/** Opens the ports that a configuration names, once a process, whatever services share them. */
import { type Bus, openBus, relayOutbox } from '@engram/bus';
import type { Config } from '@engram/config';
import { ensureLifecycle, type Objects, openObjects } from '@engram/objects';
import { openRecords, type Records } from '@engram/records';
import type { Logger } from '@engram/telemetry';
import { lifecycleRules } from './lifecycle-rules.ts';
import { objectUrls } from './object-urls.ts';

export interface Adapters {
  readonly bus: Bus;
  readonly objects: Objects;
  readonly records: Records;
  /** Stops the relay after a last look, then closes the ports in the order of their dependence. */
  close(): Promise<void>;
}

/** @throws CONFIG_INVALID when no adapter speaks a URL; DISK_FULL or UPSTREAM_FAILED when one cannot be opened. */
export async function openAdapters(
  config: Pick<Config, 'bus' | 'objects' | 'records' | 'lifecycle' | 'peers' | 'siteSecret'>,
  logger: Logger,
): Promise<Adapters> {
  const opened: { close(): Promise<void> }[] = [];
  const keep = <T extends { close(): Promise<void> }>(port: T): T => {
    opened.unshift(port);
    return port;
  };
  try {
    const records = keep(await openRecords(config.records));
    const objects = keep(await openObjects(config.objects, objectUrls(config)));
    const rules = lifecycleRules(config.lifecycle);
    if (rules.length > 0) await ensureLifecycle(config.objects, rules);
    const bus = keep(await openBus(config.bus, { logger }));
    return relayed({ bus, objects, records }, logger);
  } catch (error) {
    for (const port of opened) await port.close();
    throw error;
  }
}

function relayed({ bus, objects, records }: Omit<Adapters, 'close'>, logger: Logger): Adapters {
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
