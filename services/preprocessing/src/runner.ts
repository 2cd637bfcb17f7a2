/** What a worker asks of a pipeline. The real one is `pipelines-runner.ts`; tests plug in a light one of the same form. */
import type { ArtifactReference, QcVerdict, RunInput } from '@engram/contracts';
import type { TaskStore } from '@engram/pipelines';
import type { Run, RunTask } from './run.ts';

export interface LocalInput {
  readonly role: RunInput['role'];
  /** A NIfTI file or a folder of DICOM files. */
  readonly path: string;
  readonly tracer: string | null;
  readonly studyUid: string;
}

export interface PipelineJob {
  readonly run: Run;
  readonly inputs: readonly LocalInput[];
  /** Emptied by the run; removed by the worker. */
  readonly workDir: string;
  readonly tasks: TaskStore;
  readonly signal: AbortSignal;
  onProgress(progress: {
    readonly task: RunTask;
    readonly fraction: number;
    readonly secondsLeft: number | null;
  }): void;
}

export interface PipelineOutcome {
  /** Files to keep among the run's artifacts. */
  readonly artifacts: readonly (Pick<ArtifactReference, 'name' | 'sha256'> & { readonly path: string })[];
  readonly verdict: QcVerdict;
  readonly reasons: readonly string[];
  /** Seconds per task and `total_s`. */
  readonly durations: Readonly<Record<string, number>>;
  /** For the dashboards; null where the pipeline measures none. */
  readonly snr: number | null;
  readonly registration: string | null;
}

/** @throws EngramError with the code of what failed; `failedTask` where a task did. */
export type PipelineRunner = (job: PipelineJob) => Promise<PipelineOutcome>;

/** Which task an error came from, where a runner knows it. */
export const failedTask: WeakMap<Error, string> = new WeakMap();
