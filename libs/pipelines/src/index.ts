/**
 * Pipelines: declared graphs of tasks over the imaging engine, run in a child process, each task once per content.
 *
 * @example
 * const { dir, sha256 } = await ensureAtlas();
 * const outcome = await runPipeline({
 *   definition: pipelineNamed('adni'),
 *   inputs: { t1: { path: 't1.nii.gz' }, pet: { path: 'pet.nii.gz', tracer: 'FDG' } },
 *   resources: { atlas: { path: dir, sha256 } },
 *   store: folderTaskStore('.engram/tasks'),
 *   workDir: '.engram/run-1',
 * });
 * @module
 */
export { type AdniParameters, adniParameters } from './adni/parameters.ts';
export { type SessionFiles, type SessionSubject, writeSession } from './adni/write-session.ts';
export type { DerivedTemplate } from './atlas/derive.ts';
export { type AtlasFolder, type EnsureAtlasOptions, ensureAtlas } from './atlas/ensure-atlas.ts';
export { type Atlas, loadAtlas } from './atlas/load-atlas.ts';
export { type AtlasManifest, atlasManifest } from './atlas/manifest.ts';
export { canonicalJson, digestOf } from './canonical-json.ts';
export { pipelineNamed, pipelines } from './registry.ts';
export type { HashedInput } from './run-inputs.ts';
export {
  DEFAULT_LIMITS,
  type ProgressEvent,
  type RunArtifact,
  type RunOptions,
  type RunOutcome,
  runPipeline,
  type TaskLog,
} from './runner.ts';
export { type SegmenterManifest, segmenterManifest } from './segmenter/manifest.ts';
export { checkSegmenter, openSegmenter, type Segmenter, type SegmenterFolder } from './segmenter/open-segmenter.ts';
export type {
  AnyPipeline,
  ArtifactSource,
  PipelineDefinition,
  RunInput,
  TaskContext,
  TaskDefinition,
  TaskFile,
} from './task.ts';
export { type KeyParts, taskKey } from './task-key.ts';
export type { TaskLimits } from './task-process.ts';
export { folderTaskStore, type TaskManifest, type TaskStore, taskManifest } from './task-store.ts';
