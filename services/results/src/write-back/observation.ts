/** FHIR parts that every written resource shares: identifiers, codes, the AI mark, the notice. */
import { AI_ASSERTED, FHIR_URLS, type Forecast, RESEARCH_USE_ONLY } from '@engram/contracts';
import type {
  Annotation,
  CodeableConcept,
  Coding,
  Identifier,
  Meta,
  ObservationComponent,
  Quantity,
  Resource,
} from '@medplum/fhirtypes';

export type Identified = Resource & { identifier?: Identifier[] | Identifier };

export const identifier = (system: string, value: string): Identifier => ({ system, value });

/** `system|value` of the first identifier. */
export function identifierOf(resource: Identified): string {
  const first = Array.isArray(resource.identifier) ? resource.identifier[0] : resource.identifier;
  return `${first?.system ?? ''}|${first?.value ?? ''}`;
}

/** `identifier=system|value`: the condition that makes a write replay-safe. */
export const conditionOf = (resource: Identified): string => `identifier=${encodeURIComponent(identifierOf(resource))}`;

/** Our own code first, standard codes after it. */
export const concept = (system: string, code: string, display: string, ...others: Coding[]): CodeableConcept => ({
  coding: [{ system, code, display }, ...others],
  text: display,
});

export const aiMeta: Meta = { security: [{ ...AI_ASSERTED }] };

export const researchNote: Annotation[] = [{ text: RESEARCH_USE_ONLY }];
/** What the forecast says of itself: a site's own model is not told to be simulated, and none goes without the notice. */
export const noticeOf = ({ disclaimer }: Pick<Forecast, 'disclaimer'>): string =>
  disclaimer.includes(RESEARCH_USE_ONLY) ? disclaimer : `${RESEARCH_USE_ONLY} ${disclaimer}`;

const UCUM = 'http://unitsofmeasure.org';
export const quantity = (value: number, unit: string, code: string): Quantity => ({ value, unit, system: UCUM, code });

export const component = (
  code: string,
  display: string,
  value: Pick<ObservationComponent, 'valueQuantity' | 'valueDateTime' | 'valueString'>,
): ObservationComponent => ({
  code: concept(FHIR_URLS.forecastComponents, code, display),
  ...value,
});

/** Numbers in FHIR are decimals that people read: enough digits, not a float's tail. */
export const rounded = (value: number, digits: number): number => Number(value.toFixed(digits));
