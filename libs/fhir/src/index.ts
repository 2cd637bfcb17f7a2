/**
 * The FHIR R4 port: a client of any server, the embedded server, and what codes mean.
 *
 * @example
 * const fhir = openFhir({ url: 'http://127.0.0.1:8090/fhir', fetch: guardedFetch({ allow }) });
 * const scores = readScores(await fhir.search('Observation', { patient: 'Patient/1', code: scoreSearchTokens() }));
 * @module
 */
export { type OpenFhirOptions, openFhir } from './client/open.ts';
export { loincIsValid, snomedIsValid } from './codes/check-digit.ts';
export {
  APOE_CODES,
  type Demographics,
  demographicSearchTokens,
  EDUCATION_CODES,
  readDemographics,
} from './codes/read-demographics.ts';
export {
  isForecast,
  type MeasuredScore,
  type ReadScoresOptions,
  readScores,
  type ScoreWarning,
} from './codes/read-scores.ts';
export {
  LOINC,
  predictedCode,
  SCORE_DEFINITIONS,
  SNOMED,
  scoreConcept,
  scoreOf,
  scoreSearchTokens,
  UCUM,
} from './codes/score-codes.ts';
export type * from './port.ts';
export { buildFhirServer, type FhirServerDeps } from './server/server.ts';
export { EXTENSIONS as SUBSCRIPTION_EXTENSIONS } from './server/subscriptions/channel.ts';
