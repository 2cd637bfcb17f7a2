/** Search over the store: what cannot be answered rightly is refused with 400, never answered with nothing. */
import {
  badRequest,
  evalFhirPath,
  type Filter,
  getSearchParameter,
  matchesSearchRequest,
  OperationOutcomeError,
  Operator,
  parseSearchRequest,
  type SearchRequest,
} from '@medplum/core';
import type { Reference, ResourceType, SearchParameter } from '@medplum/fhirtypes';
import { loadDefinitions } from './definitions.ts';
import type { FhirStore, Stored } from './store.ts';

const MATCHED_TYPES = new Set(['reference', 'string', 'uri', 'token', 'date']);
const REFUSED: ReadonlySet<Operator> = new Set([
  Operator.EXACT,
  Operator.ABOVE,
  Operator.BELOW,
  Operator.IN,
  Operator.NOT_IN,
  Operator.OF_TYPE,
  Operator.TEXT,
  Operator.IDENTIFIER,
  Operator.STARTS_WITH,
]);

const refuse = (details: string, code: string): never => {
  throw new OperationOutcomeError(badRequest(details, code));
};

function parameterOf(type: string, code: string): SearchParameter {
  const parameter = getSearchParameter(type, code);
  if (!parameter) return refuse(`Unknown search parameter for ${type}: ${code}`, code);
  if (!MATCHED_TYPES.has(parameter.type)) {
    return refuse(`Search parameters of type ${parameter.type} are not supported: ${code}`, code);
  }
  return parameter;
}

/** A filter as a yes-or-no question to one resource. */
type Question = (resource: Stored) => boolean;

const referencesOf = (expression: string | undefined, resource: Stored): readonly string[] =>
  evalFhirPath(expression ?? '', resource).flatMap((value) => (value as Reference | undefined)?.reference ?? []);

/** `subject:Patient.name=…`: the search one reference further. */
function chained(store: FhirStore, type: string, { code, value, operator }: Filter): Question {
  const dot = code.indexOf('.');
  const [name = '', target] = code.slice(0, dot).split(':');
  const parameter = parameterOf(type, name);
  const targets = target ? [target] : (parameter.target ?? []);
  if (parameter.type !== 'reference' || targets.length !== 1) {
    return refuse(`Name one target type: ${name}:Type.${code.slice(dot + 1)}`, code);
  }
  const inner = parse(targets[0] ?? '', { [code.slice(dot + 1)]: value });
  if (operator !== Operator.EQUALS) return refuse('Chained parameters take no modifier', code);
  const found = new Set([...findAll(store, inner)].map((r) => `${r.resourceType}/${r.id}`));
  return (resource) => referencesOf(parameter.expression, resource).some((reference) => found.has(reference));
}

/** `_has:Observation:patient:code=…`: those that such a resource refers to. */
function reverseChained(store: FhirStore, { code, value }: Filter): Question {
  const [, source = '', reference = '', ...rest] = code.split(':');
  const parameter = parameterOf(source, reference);
  if (parameter.type !== 'reference' || rest.length === 0) return refuse('Write _has:Type:reference:parameter', code);
  const inner = parse(source, { [rest.join(':')]: value });
  const found = new Set([...findAll(store, inner)].flatMap((r) => referencesOf(parameter.expression, r)));
  return (resource) => found.has(`${resource.resourceType}/${resource.id}`);
}

function questionOf(store: FhirStore, type: ResourceType, filter: Filter): Question {
  if (filter.code.startsWith('_has:')) return reverseChained(store, filter);
  if (filter.code.includes('.')) return chained(store, type, filter);
  parameterOf(type, filter.code);
  if (REFUSED.has(filter.operator)) refuse(`The modifier :${filter.operator} is not supported`, filter.code);
  const request: SearchRequest = { resourceType: type, filters: [filter] };
  return (resource) => matchesSearchRequest(resource, request);
}

/** Few candidates instead of all, where a filter names an id, a reference or an identifier. */
function candidates(store: FhirStore, { resourceType: type, filters = [] }: SearchRequest): Iterable<Stored> {
  const byKeys = (keys: Iterable<string>) =>
    [...new Set(keys)].flatMap((key) => {
      const [keyType, id = ''] = key.split('/');
      return keyType === type ? (store.read(type, id) ?? []) : [];
    });
  for (const { code, operator, value } of filters) {
    if (operator !== Operator.EQUALS || value === '' || value.includes('\\')) continue;
    const values = value.split(',');
    if (code === '_id') return byKeys(values.map((id) => `${type}/${id}`));
    const token = values.map((one) => one.split('|').at(-1) ?? '');
    if (code === 'identifier' && token.every(Boolean))
      return byKeys(token.flatMap((one) => [...store.identifiedBy(one)]));
    if (getSearchParameter(type, code)?.type === 'reference' && values.every((one) => one.includes('/'))) {
      return byKeys(values.flatMap((one) => [...store.holdersOf(one)]));
    }
  }
  return store.all(type);
}

/** Query parameters → request; refuses what it does not know. */
export function parse(type: string, query: Record<string, string | string[] | undefined>): SearchRequest {
  loadDefinitions();
  return parseSearchRequest(type, query);
}

/** Every match, in order of change unless the request sorts; without paging. @throws OperationOutcomeError 400 */
export function findAll(store: FhirStore, request: SearchRequest): readonly Stored[] {
  loadDefinitions();
  const { resourceType, filters = [], sortRules = [] } = request;
  const questions = filters.map((filter) => questionOf(store, resourceType, filter));
  const found: Stored[] = [];
  for (const resource of candidates(store, request)) if (questions.every((ask) => ask(resource))) found.push(resource);
  if (sortRules.length === 0) return found;
  const keys = sortRules.map(({ code, descending }) => {
    const { expression } = parameterOf(resourceType, code);
    return { sign: descending ? -1 : 1, of: (r: Stored) => JSON.stringify(evalFhirPath(expression ?? '', r)[0] ?? '') };
  });
  const sortable = found.map((resource) => ({ resource, values: keys.map(({ of }) => of(resource)) }));
  sortable.sort((a, b) => {
    for (const [i, { sign }] of keys.entries()) {
      const [x = '', y = ''] = [a.values[i], b.values[i]];
      if (x !== y) return x < y ? -sign : sign;
    }
    return a.resource.id < b.resource.id ? -1 : 1;
  });
  return sortable.map(({ resource }) => resource);
}

/** Whether one resource would be found: how a Subscription's criteria are judged. */
export function matches(store: FhirStore, resource: Stored, request: SearchRequest): boolean {
  if (resource.resourceType !== request.resourceType) return false;
  return (request.filters ?? []).every((filter) => questionOf(store, request.resourceType, filter)(resource));
}
