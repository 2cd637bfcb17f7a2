/**
 * What a task and a pipeline are. A task reads files, writes files in its own folder and says how far it is; everything that
 * could change its output is in its key (`task-key.ts`), so a result is made once and found for ever.
 */
import type { Device } from '@engram/kernels';
import type { z } from 'zod';

/** A file (or a folder, for an atlas or a DICOM series) with the hash that names its content. */
export interface TaskFile {
  readonly path: string;
  readonly sha256: string;
}

/** What a run is given from outside, by role. */
export interface RunInput {
  /** A NIfTI file or a folder of DICOM files. */
  readonly path: string;
  /** Name of the radiopharmaceutical, where the files do not say it. */
  readonly tracer?: string | undefined;
}

export interface TaskContext<P = unknown> {
  /** `task/file` of a task in `needs` or `uses`, or the role of an input. @throws INPUT_MISSING */
  input(name: string): TaskFile;
  has(name: string): boolean;
  /** What was said about an input beside its bytes. */
  readonly tracer: string | undefined;
  readonly parameters: P;
  /** Empty, the task's own: its `outputs` are written here. */
  readonly workDir: string;
  /** Opened once per process. */
  readonly device: Device;
  /** Of this task, 0 to 1. */
  progress(fraction: number): void;
  /** Goes into the log. */
  note(text: string): void;
  /** Goes into the log and the quality metrics. */
  warn(text: string): void;
}

export interface TaskDefinition<P = unknown> {
  readonly name: string;
  /** Raised whenever the output changes for an equal input: a golden test fails otherwise. */
  readonly version: number;
  /** Tasks that must have completed. */
  readonly needs: readonly string[];
  /** Tasks whose outputs are read where they ran, such as PET's in the features. */
  readonly uses?: readonly string[];
  /** Roles of run inputs and names of resources (`atlas`, `segmenter`). */
  readonly reads?: readonly string[];
  /** Whether the task belongs in a run with these roles; it is skipped otherwise. Default: all of `reads` are there. */
  readonly when?: (roles: ReadonlySet<string>) => boolean;
  /** Share of the whole run's time; any unit. */
  readonly weight: number;
  /** Files that the task writes, all of them always. */
  readonly outputs: readonly string[];
  /** Parameters that can change the output: these and no others are in the key. */
  readonly parameterKeys: readonly (keyof P & string)[];
  run(context: TaskContext<P>): Promise<void>;
}

export interface ArtifactSource {
  /** File name among the run's artifacts. */
  readonly name: string;
  readonly task: string;
  readonly file: string;
}

export interface PipelineDefinition<P = unknown> {
  readonly name: string;
  readonly version: string;
  /** URL of the module that exports this definition as `pipeline`: the child process imports it. */
  readonly module: string;
  readonly inputs: readonly { readonly role: string; readonly required: boolean }[];
  readonly parameters: z.ZodType<P>;
  /** In an order that respects `needs` and `uses`. */
  readonly tasks: readonly TaskDefinition<P>[];
  readonly artifacts: readonly ArtifactSource[];
  /** Tasks whose outputs whoever started the run reads besides: they lie in its folder even when they were reused. */
  readonly reports?: readonly string[];
}

/** A definition whose parameters are not looked at. */
// biome-ignore lint/suspicious/noExplicitAny: the parameter type is each pipeline's own; the registry only passes it on
export type AnyPipeline = PipelineDefinition<any>;

/** Keeps a task's parameter type inferred. */
export const defineTask = <P>(task: TaskDefinition<P>): TaskDefinition<P> => task;
