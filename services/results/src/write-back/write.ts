/** Writes resources replay-safely and keeps count of what was written. */
import type { FhirClient } from '@engram/fhir';
import type { Reference, Resource } from '@medplum/fhirtypes';
import type { ResultsStore } from '../store.ts';
import { apply } from '../store.ts';
import { conditionOf, type Identified } from './observation.ts';

export interface Writer {
  /** `PUT Type?identifier=…`; the reference of what was created or replaced. */
  put<R extends Identified>(resource: R): Promise<string>;
  /** All of them in one transaction: either every one is there or none. References in the given order. */
  putAll(resources: readonly Identified[]): Promise<readonly Reference[]>;
  /** Creates unless the condition finds one already. */
  createOnce<R extends Resource>(resource: R, condition: string): Promise<string>;
  count(reference: string): Promise<void>;
}

export interface WriterDeps {
  readonly fhir: FhirClient;
  readonly store: ResultsStore;
  readonly now: () => Date;
}

export function writerFor({ fhir, store, now }: WriterDeps, patientKey: string, because: string): Writer {
  const count = async (reference: string): Promise<void> => {
    const record = { reference, patient_key: patientKey, because, at: now().toISOString() };
    await apply(store.written, reference, (current) => (current === undefined ? record : undefined));
  };
  const counted = async (resource: Resource): Promise<string> => {
    const reference = `${resource.resourceType}/${resource.id ?? ''}`;
    await count(reference);
    return reference;
  };
  return {
    count,
    async put(resource) {
      return counted(await fhir.updateWhere(resource, conditionOf(resource)));
    },
    async putAll(resources) {
      const bundle = await fhir.transaction({
        resourceType: 'Bundle',
        type: 'transaction',
        entry: resources.map((resource) => ({
          resource,
          request: { method: 'PUT', url: `${resource.resourceType}?${conditionOf(resource)}` },
        })),
      });
      const references = (bundle.entry ?? []).map((entry, at) => ({
        reference: referenceOf(entry.response?.location, entry.resource, resources[at]),
      }));
      for (const { reference } of references) await count(reference);
      return references;
    },
    async createOnce(resource, condition) {
      return counted(await fhir.create(resource, condition));
    },
  };
}

/** `Type/id` from a transaction's answer: servers give a location, absolute or not, with or without a version. */
function referenceOf(location: string | undefined, resource: Resource | undefined, sent: Resource | undefined): string {
  if (resource?.id !== undefined) return `${resource.resourceType}/${resource.id}`;
  const match = location?.match(/([A-Z][A-Za-z]+)\/([A-Za-z0-9.-]{1,64})(?:\/_history\/.*)?$/);
  return match ? `${match[1]}/${match[2]}` : `${sent?.resourceType ?? ''}/`;
}
