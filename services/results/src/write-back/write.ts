/** Writes resources replay-safely. */
import { FHIR_URLS } from '@engram/contracts';
import { EngramError, isEngramError } from '@engram/errors';
import type { FhirClient } from '@engram/fhir';
import type { BundleEntry, Extension, Reference, Resource } from '@medplum/fhirtypes';
import { countWritten, type ResultsStore } from '../store.ts';
import { conditionOf, type Identified, identifierOf } from './observation.ts';

type Written = Identified & { extension?: Extension[] };

export interface Writer {
  /** What many facts share, such as a model's Device: created unless it is there, and never written again; its reference. */
  share<R extends Identified>(resource: R): Promise<string>;
  /**
   * Moves resources of one type forward to what a version of their subject states, all in one transaction: either every one
   * is there or none. What states as much or more already stays: a writer that comes late changes nothing.
   * @param over written only where the server holds something of theirs
   * @returns references in the order of `resources`
   * @throws FHIR_CONFLICT when others kept writing
   */
  forward(version: number, resources: readonly Written[], over?: readonly Written[]): Promise<readonly Reference[]>;
  /** Creates unless the condition finds one already. */
  createOnce<R extends Resource>(resource: R, condition: string): Promise<string>;
}

export interface WriterDeps {
  readonly fhir: FhirClient;
  readonly store: ResultsStore;
  readonly now: () => Date;
}

const TRIES = 5;
/** Identifiers in one search: more would make too long a URL for some servers. */
const ASKED_AT_ONCE = 10;

export function writerFor({ fhir, store, now }: WriterDeps): Writer {
  return {
    async share(resource) {
      for (let attempt = 1; ; attempt++) {
        try {
          const reference = nameOf(await fhir.create(resource, conditionOf(resource)));
          await countWritten(store, { id: reference, patientKey: null, at: now() }, [reference]);
          return reference;
        } catch (error) {
          // Of two who create it at once a server may refuse one, which then finds the other's.
          if (!isEngramError(error, 'FHIR_CONFLICT') || attempt === TRIES) throw error;
        }
      }
    },
    async forward(version, resources, over = []) {
      for (let attempt = 1; attempt <= TRIES; attempt++) {
        const there = await held(fhir, [...resources, ...over]);
        const behind = [...resources, ...over.filter((one) => there.has(identifierOf(one)))].filter(
          (one) => statedVersion(there.get(identifierOf(one))) < version,
        );
        const written = await writeAll(fhir, version, behind, there);
        if (written === undefined) continue;
        return resources.map((one) => written.get(identifierOf(one)) ?? referenceTo(there.get(identifierOf(one)), one));
      }
      throw new EngramError('FHIR_CONFLICT', 'resources of the FHIR server kept changing while they were written');
    },
    async createOnce(resource, condition) {
      return nameOf(await fhir.create(resource, condition));
    },
  };
}

const nameOf = ({ resourceType, id = '' }: Resource): string => `${resourceType}/${id}`;

/** What the server holds under the identifiers of resources of one type. */
async function held(fhir: FhirClient, resources: readonly Written[]): Promise<ReadonlyMap<string, Written>> {
  const found = new Map<string, Written>();
  for (let from = 0; from < resources.length; from += ASKED_AT_ONCE) {
    const asked = resources.slice(from, from + ASKED_AT_ONCE);
    const [first] = asked;
    if (!first) break;
    const matches = await fhir.search(first.resourceType, { identifier: asked.map(identifierOf).join(',') });
    for (const match of matches as readonly Written[]) found.set(identifierOf(match), match);
  }
  return found;
}

/** @returns references by identifier; undefined when another has written meanwhile. */
async function writeAll(
  fhir: FhirClient,
  version: number,
  resources: readonly Written[],
  there: ReadonlyMap<string, Written>,
): Promise<ReadonlyMap<string, Reference> | undefined> {
  if (resources.length === 0) return new Map();
  const entries = resources.map((one) => entryOf(stating(version, one), there.get(identifierOf(one))));
  try {
    const answer = await fhir.transaction({ resourceType: 'Bundle', type: 'transaction', entry: entries });
    // Created by another meanwhile: the condition found it, and it may state less than we do.
    const isOvertaken = entries.some(
      ({ request }, at) => request?.method === 'POST' && !answer.entry?.[at]?.response?.status?.startsWith('201'),
    );
    if (isOvertaken) return undefined;
    return new Map(
      resources.map((one, at) => {
        const { resource, response } = answer.entry?.[at] ?? {};
        return [identifierOf(one), referenceTo(resource ?? there.get(identifierOf(one)), one, response?.location)];
      }),
    );
  } catch (error) {
    if (isEngramError(error, 'FHIR_CONFLICT')) return undefined;
    throw error;
  }
}

function entryOf(resource: Written, there: Written | undefined): BundleEntry {
  const type = resource.resourceType;
  if (there?.id === undefined) {
    return { resource, request: { method: 'POST', url: type, ifNoneExist: conditionOf(resource) } };
  }
  const { id, meta } = there;
  const ifMatch = meta?.versionId === undefined ? {} : { ifMatch: `W/"${meta.versionId}"` };
  return { resource: { ...resource, id }, request: { method: 'PUT', url: `${type}/${id}`, ...ifMatch } };
}

const stating = (version: number, resource: Written): Written => ({
  ...resource,
  extension: [...(resource.extension ?? []), { url: FHIR_URLS.statedVersion, valueInteger: version }],
});

/** 0 for what is not there, and for what was written before versions were stated. */
const statedVersion = (resource: Written | undefined): number =>
  resource?.extension?.find(({ url }) => url === FHIR_URLS.statedVersion)?.valueInteger ?? 0;

/** `Type/id`, where need be from a transaction's answer: servers give a location, absolute or not, with or without a version. */
function referenceTo(found: Resource | undefined, sent: Resource, location?: string): Reference {
  if (found?.id !== undefined) return { reference: `${found.resourceType}/${found.id}` };
  const match = location?.match(/([A-Z][A-Za-z]+)\/([A-Za-z0-9.-]{1,64})(?:\/_history\/.*)?$/);
  return { reference: match ? `${match[1]}/${match[2]}` : `${sent.resourceType}/` };
}
