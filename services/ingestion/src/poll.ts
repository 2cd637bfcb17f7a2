/**
 * Finds what no notification told: asks for everything changed since the last look, a little of the past included, and
 * from time to time whether the studies in use are still there, since a search never shows a deletion.
 */
import { demographicSearchTokens, type FhirClient, type SearchParams, scoreSearchTokens } from '@engram/fhir';
import { modify } from '@engram/records';
import type { Consumer } from './consume.ts';
import type { IngestionStore } from './store.ts';

/** Clocks differ, and a server may show a change some time after its stamp. */
const OVERLAP_MS = 5 * 60_000;
/** How far back the very first look goes. */
const FIRST_LOOK_MS = 24 * 3_600_000;
const MOST = 10_000;
const ASKED_AT_ONCE = 50;

export interface PollDeps {
  readonly fhir: FhirClient;
  readonly store: IngestionStore;
  readonly consumer: Consumer;
  readonly now: () => Date;
}

const TYPES = ['ImagingStudy', 'Observation', 'Patient'] as const;
type Polled = (typeof TYPES)[number];

const filterOf = (type: Polled): SearchParams =>
  type === 'Observation' ? { code: `${scoreSearchTokens()},${demographicSearchTokens()}` } : {};

async function pollType({ fhir, store, consumer, now }: PollDeps, type: Polled): Promise<void> {
  const cursor = (await store.cursors.get(type))?.value.since;
  const from = cursor === undefined ? now().getTime() - FIRST_LOOK_MS : Date.parse(cursor) - OVERLAP_MS;
  const since = new Date(from).toISOString();
  const found = await fhir.search(type, { _lastUpdated: `ge${since}`, _sort: '_lastUpdated', ...filterOf(type) }, MOST);
  let latest = cursor ?? since;
  for (const resource of found) {
    if (resource.id === undefined) continue;
    await consumer.take({ type, id: resource.id }, resource);
    const updated = resource.meta?.lastUpdated;
    if (updated !== undefined && Date.parse(updated) > Date.parse(latest)) latest = updated;
  }
  // Moved only once all is taken in: a stop in between looks at them again.
  await modify(store.cursors, type, (current) =>
    current && Date.parse(current.since) >= Date.parse(latest) ? undefined : { value: { since: latest } },
  );
}

export async function poll(deps: PollDeps): Promise<void> {
  for (const type of TYPES) await pollType(deps, type);
}

/** Takes in again each study in use that a search by id no longer shows. */
export async function findDeleted({ fhir, store, consumer }: PollDeps): Promise<void> {
  for (let cursor: string | undefined; ; ) {
    const where = { state: { in: ['ready', 'waiting'] } };
    const page = await store.studies.find({ where, limit: ASKED_AT_ONCE, ...(cursor === undefined ? {} : { cursor }) });
    const ids = page.records.map(({ id }) => id);
    if (ids.length > 0) {
      const there = new Set((await fhir.search('ImagingStudy', { _id: ids.join(',') })).map(({ id }) => id));
      for (const id of ids) if (!there.has(id)) await consumer.take({ type: 'ImagingStudy', id });
    }
    if (page.next === null) return;
    cursor = page.next;
  }
}
