/** The same study through a platform on embedded adapters: what the distributed one must equal to the last digit. */
import { join } from 'node:path';
import type { EngramEvent } from '@engram/contracts';
import { openFhir } from '@engram/fhir';
import { embeddedEvents, untilQuiet } from './events.ts';
import { type FollowOptions, followStudy, type Outcome } from './follow.ts';
import { embeddedInventory, type Inventory } from './inventory.ts';
import { startEngram } from './platform.ts';
import { fhirUrlOf, platformEnvironment, urlOf } from './settings.ts';

export interface EmbeddedResult {
  readonly outcome: Outcome;
  readonly events: readonly EngramEvent[];
  readonly objects: Inventory;
}

export type EmbeddedOptions = Omit<FollowOptions, 'fhir' | 'untilQuiet'> & { readonly folder: string };

export async function runEmbedded({ folder, ...options }: EmbeddedOptions): Promise<EmbeddedResult> {
  const { ports, pacs } = options;
  const home = join(folder, 'home');
  const bus = `sqlite://${home}/bus.db`;
  const environment = platformEnvironment({ home, ports, pacs });
  const platform = await startEngram(undefined, environment, folder, urlOf(ports, 'ingestion'));
  try {
    const fhir = openFhir({ url: fhirUrlOf(ports), fetch });
    const outcome = await followStudy({ ...options, fhir, untilQuiet: () => untilQuiet(bus) });
    const objects = await embeddedInventory(`file://${home}/objects`);
    return { outcome, events: await embeddedEvents(bus), objects };
  } finally {
    await platform.stop();
  }
}
