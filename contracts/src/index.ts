/**
 * What crosses a process: the events, HTTP bodies, artifacts and command-line reports of Engram as zod schemas, from which
 * JSON Schema, OpenAPI 3.1 and AsyncAPI 3 are generated into `generated/`.
 * @module
 */
export * from './artifacts/layout.ts';
export * from './artifacts/quality-metrics.ts';
export * from './artifacts/roi-features.ts';
export * from './cli/reports.ts';
export * from './config/pipeline-config.ts';
export * from './events/envelope.ts';
export { type EventType, events } from './events/index.ts';
export { type ArtifactReference, artifactReference } from './events/run-ended.v1.ts';
export { PIPELINE_VERSIONS, type RunFacts, runIdOf } from './events/run-id.ts';
export { type ImageSource, imageSource, type RunInput, runInput } from './events/run-requested.v1.ts';
export * from './events/withdrawal.ts';
export * from './fhir/urls.ts';
export * from './http/feature-sets.ts';
export * from './http/forecast.ts';
export * from './http/problem.ts';
export * from './http/runs.ts';
export * from './http/sessions.ts';
export * from './regions/aal-93.ts';
export * from './vocabulary.ts';
