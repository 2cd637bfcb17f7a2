/**
 * The preprocessing service: runs of pipelines, claimed by priority under a lease, resumed after a crash.
 *
 * @example
 * const preprocessing = await createPreprocessing({ config, bus, records, objects, allow, fetch });
 * await preprocessing.start();
 * @module
 */
export type { RetrieveSeries } from './fetch-input.ts';
export { type PipelinesRunnerOptions, pipelinesRunner } from './pipelines-runner.ts';
export { createPreprocessing, type Preprocessing, type PreprocessingDeps } from './preprocessing.ts';
export { GROUP, type Processing, type ProcessingDeps, startProcessing } from './processing.ts';
export { failedTask, type LocalInput, type PipelineJob, type PipelineOutcome, type PipelineRunner } from './runner.ts';
export type { Surroundings, WorkFolder } from './surroundings.ts';
export { WORK_TIMES, type WorkTimes } from './work.ts';
