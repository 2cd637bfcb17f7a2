/**
 * The FHIR port in memory: one server's resources with versions, the searches that Engram makes, conditional writes and
 * transactions as one step each. What it does not know is refused, never answered with nothing.
 */
import { EngramError } from '@engram/errors';
import type { FhirClient, ResourceOf, SearchParams } from '@engram/fhir';
import type { Bundle, BundleEntry, CodeableConcept, Identifier, Resource, ResourceType } from '@medplum/fhirtypes';
import type { Invoke } from '../life.ts';

export const FHIR_BASE = 'https://fhir.simulation.test/r4';

export type Stored = Resource & { id: string; meta: { versionId: string; lastUpdated: string } };
export type Listener = (resource: Stored) => void;

interface Searched {
  readonly identifier?: Identifier[] | Identifier;
  readonly subject?: { readonly reference?: string };
  readonly patient?: { readonly reference?: string };
  readonly code?: CodeableConcept;
  readonly target?: readonly { readonly reference?: string }[];
  readonly agent?: readonly { readonly who?: { readonly reference?: string } }[];
}

const copied = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;
const content = ({ meta, ...rest }: Resource): string => {
  const { versionId: _v, lastUpdated: _l, ...others } = meta ?? {};
  return JSON.stringify([rest, others]);
};

export class FhirState {
  readonly byType = new Map<string, Map<string, Stored>>();
  readonly #identified = new Map<string, Set<string>>();
  readonly #listeners: Listener[] = [];
  readonly now: () => number;
  /** Until then the server answers nobody. */
  downUntil = 0;
  /** A server that creates whatever its condition says: broken on purpose, to see that the checks notice. */
  ignoresConditions = false;
  #ids = 0;

  constructor(now: () => number) {
    this.now = now;
  }

  onWrite(listener: Listener): void {
    this.#listeners.push(listener);
  }

  all<K extends ResourceType>(type: K): readonly (Stored & ResourceOf<K>)[] {
    return [...(this.byType.get(type)?.values() ?? [])] as unknown as readonly (Stored & ResourceOf<K>)[];
  }

  read(type: string, id: string): Stored | undefined {
    return this.byType.get(type)?.get(id);
  }

  write(resource: Resource & { id: string }, ifMatch?: string): Stored {
    const before = this.read(resource.resourceType, resource.id);
    if (ifMatch !== undefined && before?.meta.versionId !== ifMatch) {
      throw new EngramError('FHIR_CONFLICT', 'the FHIR server has another version');
    }
    const given = copied(resource);
    // A client that re-sends makes no new version.
    if (before && content(before) === content(given)) return before;
    const version = String(Number(before?.meta.versionId ?? 0) + 1);
    const meta = { ...given.meta, versionId: version, lastUpdated: new Date(this.now()).toISOString() };
    const stored = { ...given, meta } as Stored;
    const held = this.byType.get(resource.resourceType) ?? new Map<string, Stored>();
    this.byType.set(resource.resourceType, held.set(resource.id, stored));
    for (const key of identifiersOf(stored)) {
      this.#identified.set(key, (this.#identified.get(key) ?? new Set()).add(resource.id));
    }
    for (const listener of this.#listeners) listener(stored);
    return stored;
  }

  writeWhere(resource: Resource, query: string): Stored {
    const found = this.one(resource.resourceType, query);
    return this.write({ ...resource, id: found?.id ?? this.newId() });
  }

  /** The one match of a condition. @throws FHIR_CONFLICT when several match. */
  one(type: string, query: string): Stored | undefined {
    const params = Object.fromEntries(new URLSearchParams(query));
    const found = this.search(type, params);
    if (found.length > 1) throw new EngramError('FHIR_CONFLICT', 'several resources match the condition');
    return found[0];
  }

  search(type: string, params: SearchParams): readonly Stored[] {
    const filters = Object.entries(params).filter(([name]) => !name.startsWith('_sort') && !name.startsWith('_count'));
    const sorted = this.#candidates(type, params).filter((resource) =>
      filters.every(([name, value]) => matches(resource, name, String(value))),
    );
    if (params['_sort'] === undefined) return sorted;
    return [...sorted].sort((a, b) => (a.meta.lastUpdated < b.meta.lastUpdated ? -1 : 1));
  }

  newId(): string {
    return `r${++this.#ids}`;
  }

  #candidates(type: string, { identifier }: SearchParams): readonly Stored[] {
    const held = this.byType.get(type);
    if (identifier === undefined) return [...(held?.values() ?? [])];
    const ids = String(identifier)
      .split(',')
      .flatMap((one) => [...(this.#identified.get(`${type} ${one}`) ?? [])]);
    return [...new Set(ids)].flatMap((id) => held?.get(id) ?? []);
  }
}

function identifiersOf(resource: Stored): readonly string[] {
  const { identifier } = resource as Searched;
  return [identifier ?? []].flat().map(({ system, value }) => `${resource.resourceType} ${system}|${value}`);
}

function matches(resource: Stored, name: string, value: string): boolean {
  const { subject, patient, code, target, agent } = resource as Searched;
  switch (name) {
    case '_id':
      return value.split(',').includes(resource.id);
    case '_lastUpdated':
      return resource.meta.lastUpdated >= value.replace(/^ge/, '');
    case 'patient':
      return (subject ?? patient)?.reference === value;
    case 'identifier':
      return value.split(',').some((one) => identifiersOf(resource).includes(`${resource.resourceType} ${one}`));
    case 'code': {
      const wanted = new Set(value.split(','));
      return code?.coding?.some((coding) => wanted.has(`${coding.system}|${coding.code}`)) === true;
    }
    case 'target':
      return target?.some(({ reference }) => reference === value) === true;
    case 'agent':
      return agent?.some(({ who }) => who?.reference === value) === true;
    default:
      throw new EngramError('FHIR_INVALID', `the simulation's FHIR server does not search by ${name}`);
  }
}

export function openMemoryFhir(state: FhirState, invoke: Invoke): FhirClient {
  const call = <R>(verb: string, what: string, work: () => R): Promise<R> =>
    invoke(`fhir ${verb} ${what}`, () => {
      if (state.now() < state.downUntil) throw new EngramError('UPSTREAM_FAILED', 'the FHIR server is down');
      return work();
    });

  /** Updates of a known version, and conditional creates. */
  function step({ resource, request }: BundleEntry): BundleEntry {
    const { method, ifNoneExist } = request ?? {};
    if (!resource || (method !== 'PUT' && (method !== 'POST' || ifNoneExist === undefined))) {
      throw new EngramError('FHIR_INVALID', "the simulation's FHIR server does not take this in a bundle");
    }
    const found = method === 'POST' ? state.one(resource.resourceType, ifNoneExist ?? '') : undefined;
    const stored = found ?? state.write({ ...resource, id: resource.id ?? state.newId() });
    return {
      resource: stored,
      response: {
        status: method === 'POST' && !found ? '201' : '200',
        location: `${stored.resourceType}/${stored.id}/_history/${stored.meta.versionId}`,
      },
    };
  }

  function judge({ resource, request }: BundleEntry): void {
    const { resourceType = '', id = '' } = resource ?? {};
    if (request?.ifNoneExist !== undefined) state.one(resourceType, request.ifNoneExist);
    const wanted = /"([^"]+)"/.exec(request?.ifMatch ?? '')?.[1];
    if (wanted === undefined || state.read(resourceType, id)?.meta.versionId === wanted) return;
    throw new EngramError('FHIR_CONFLICT', 'the FHIR server has another version');
  }

  return {
    base: FHIR_BASE,
    read: <K extends ResourceType>(type: K, id: string) =>
      call('read', `${type}/${id}`, () => state.read(type, id) as unknown as ResourceOf<K> | undefined),
    search: <K extends ResourceType>(type: K, params: SearchParams, limit = 1000) =>
      call('search', type, () => state.search(type, params).slice(0, limit) as unknown as readonly ResourceOf<K>[]),
    searchBundle: (type, params) =>
      call('search', type, () => ({
        resourceType: 'Bundle' as const,
        type: 'searchset' as const,
        entry: state.search(type, params).map((resource) => ({ resource })),
      })),
    create: <R extends Resource>(resource: R, ifNoneExist?: string) =>
      call('create', resource.resourceType, () => {
        const found =
          ifNoneExist === undefined || state.ignoresConditions
            ? undefined
            : state.one(resource.resourceType, ifNoneExist);
        return (found ?? state.write({ ...resource, id: state.newId() })) as unknown as R;
      }),
    update: <R extends Resource>(resource: R & { id: string }, { ifMatch }: { readonly ifMatch?: string } = {}) =>
      call('update', `${resource.resourceType}/${resource.id}`, () => state.write(resource, ifMatch) as unknown as R),
    updateWhere: <R extends Resource>(resource: R, query: string) =>
      call('update', `${resource.resourceType}?`, () => state.writeWhere(resource, query) as unknown as R),
    transaction: (bundle) =>
      call('transaction', String(bundle.entry?.length ?? 0), (): Bundle => {
        // Every condition is judged before the first write: a conflict undoes nothing because nothing was done.
        bundle.entry?.forEach(judge);
        return { resourceType: 'Bundle', type: 'transaction-response', entry: (bundle.entry ?? []).map(step) };
      }),
    remove: async () => {
      throw new EngramError('FHIR_REFUSED', 'nothing is deleted in the simulation');
    },
    capabilities: () =>
      call('read', 'metadata', () => ({ resourceType: 'CapabilityStatement' }) as unknown as Resource),
  };
}
