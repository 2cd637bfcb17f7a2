/** What an operator does to the events of services, from any process and also while a service is down. */
import { type Bus, type DeadLetter, forgetHandled, openBus } from '@engram/bus';
import type { Config, ServiceName } from '@engram/config';
import { openRecords, type Records } from '@engram/records';

/** The services that consume events. */
export const CONSUMERS = [
  'preprocessing',
  'feature-store',
  'prediction',
  'results',
] as const satisfies readonly ServiceName[];
export type Consumer = (typeof CONSUMERS)[number];

export interface Letter extends DeadLetter {
  readonly service: Consumer;
}

export interface Operations {
  /** Oldest first, service by service. */
  deadLetters(services?: readonly Consumer[]): Promise<readonly Letter[]>;
  /** Hands dead letters back to their handlers, with their tries counted anew; without ids all of them. @returns how many. */
  redrive(services: readonly Consumer[], eventIds?: readonly string[]): Promise<number>;
  /**
   * Has a service see its events from an instant on again. What it remembers to have handled it leaves alone, unless it is
   * made to forget first. @returns how many were forgotten.
   */
  replay(service: Consumer, since: Date, options: { readonly forget: boolean }): Promise<number>;
  close(): Promise<void>;
}

/** @throws CONFIG_INVALID when no adapter speaks a URL; DISK_FULL or UPSTREAM_FAILED when one cannot be opened. */
export async function openOperations(config: Pick<Config, 'bus' | 'records'>): Promise<Operations> {
  const bus = await openBus(config.bus);
  let records: Promise<Records> | undefined;
  return {
    ...operationsOn(bus, () => (records ??= openRecords(config.records))),
    async close() {
      await bus.close();
      await (await records)?.close();
    },
  };
}

const groupOf = (service: Consumer): string => `engram.${service}`;

/** @param openedRecords asked for only where handled events are to be forgotten. */
function operationsOn(bus: Bus, openedRecords: () => Promise<Records>): Omit<Operations, 'close'> {
  return {
    async deadLetters(services = CONSUMERS) {
      const letters = await Promise.all(
        services.map(async (service) =>
          (await bus.deadLetters(groupOf(service))).map((letter): Letter => ({ ...letter, service })),
        ),
      );
      return letters.flat();
    },
    async redrive(services, eventIds) {
      let count = 0;
      for (const service of services) count += await bus.redrive(groupOf(service), eventIds);
      return count;
    },
    async replay(service, since, { forget }) {
      const group = groupOf(service);
      const forgotten = forget ? await forgetHandled(await openedRecords(), `${service}.inbox`, group) : 0;
      await bus.replay(group, since);
      return forgotten;
    },
  };
}
