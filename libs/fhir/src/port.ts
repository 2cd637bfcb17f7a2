/** The FHIR R4 port: what Engram needs of a server, embedded or any other. */
import type { Bundle, OperationOutcome, Resource, ResourceType } from '@medplum/fhirtypes';

export type ResourceOf<K extends ResourceType> = Extract<Resource, { resourceType: K }>;
export type SearchParams = Readonly<Record<string, string | readonly string[]>>;

export interface WriteCondition {
  /** ETag version: `If-Match: W/"…"`. @throws FHIR_CONFLICT when the server has another. */
  readonly ifMatch?: string;
}

export interface FhirClient {
  /** Base URL without trailing slash. */
  readonly base: string;
  read<K extends ResourceType>(type: K, id: string): Promise<ResourceOf<K> | undefined>;
  /** Every match, following `next` links, at most `limit` (default 1000). */
  search<K extends ResourceType>(type: K, params: SearchParams, limit?: number): Promise<readonly ResourceOf<K>[]>;
  /** The raw bundle of a search: matches and includes of the first page. */
  searchBundle(type: ResourceType, params: SearchParams): Promise<Bundle>;
  /** With `ifNoneExist` a second call does no harm. */
  create<R extends Resource>(resource: R, ifNoneExist?: string): Promise<R>;
  update<R extends Resource>(resource: R & { id: string }, condition?: WriteCondition): Promise<R>;
  /** `PUT Type?query`: creates or replaces the one that matches. */
  updateWhere<R extends Resource>(resource: R, query: string): Promise<R>;
  transaction(bundle: Bundle): Promise<Bundle>;
  remove(type: ResourceType, id: string): Promise<void>;
  capabilities(): Promise<Resource | OperationOutcome>;
}
