/** The real runner: libs/pipelines in a child process with a memory ceiling and a time limit. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '@engram/config';
import { ARTIFACTS, qualityMetrics } from '@engram/contracts';
import { EngramError } from '@engram/errors';
import {
  type AnyPipeline,
  type AtlasFolder,
  checkSegmenter,
  ensureAtlas,
  pipelineNamed,
  type RunArtifact,
  type RunOutcome,
  runPipeline,
  writeSession,
} from '@engram/pipelines';
import { VERSION } from '@engram/service';
import { parametersOf } from './parameters.ts';
import { failedTask, type PipelineJob, type PipelineOutcome, type PipelineRunner } from './runner.ts';

export interface PipelinesRunnerOptions {
  readonly config: Pick<Config, 'device' | 'segmenter' | 'taskMemoryMb' | 'taskTimeoutS' | 'pipelines'>;
  /** For tests of the machinery with a light pipeline. */
  readonly definitionOf?: (name: string) => AnyPipeline;
  readonly atlas?: () => Promise<AtlasFolder>;
}

export function pipelinesRunner(options: PipelinesRunnerOptions): PipelineRunner {
  const { config, definitionOf = pipelineNamed } = options;
  const folder = config.pipelines.parcellation.atlas_path;
  const atlas = options.atlas ?? (() => ensureAtlas(folder === null ? {} : { dir: folder }));

  return async (job) => {
    const { run, inputs, tasks, signal } = job;
    const definition = definitionOf(run.pipeline);
    const reads = (resource: string): boolean => definition.tasks.some((task) => task.reads?.includes(resource));
    const ready = reads('atlas') ? await atlas() : undefined;
    const network =
      config.segmenter !== null && reads('segmenter') ? await checkSegmenter(config.segmenter) : undefined;
    const started = new Map<string, number>();
    const outcome = await runPipeline({
      definition,
      inputs: Object.fromEntries(inputs.map(({ role, path, tracer }) => [role, { path, tracer: tracer ?? undefined }])),
      resources: {
        ...(ready ? { atlas: { path: ready.dir, sha256: ready.sha256 } } : {}),
        ...(network ? { segmenter: { path: network.dir, sha256: network.sha256 } } : {}),
      },
      parameters: parametersOf(run.pipeline, config.pipelines, run.parameters),
      store: tasks,
      workDir: join(job.workDir, 'tasks'),
      device: { backend: config.device },
      limits: { memoryMb: config.taskMemoryMb, taskSeconds: config.taskTimeoutS },
      signal,
      onProgress: ({ task, taskStatus, fraction, secondsLeft, reused }) => {
        const since = started.get(task) ?? performance.now();
        started.set(task, since);
        const seconds = (performance.now() - since) / 1000;
        job.onProgress({ task: { name: task, status: taskStatus, reused, seconds }, fraction, secondsLeft });
      },
    });
    if (outcome.status !== 'completed') throw failureOf(outcome);
    return ready && run.pipeline === 'adni' ? sessionOutcome(job, outcome, ready) : plainOutcome(outcome);
  };
}

function failureOf({ status, error, failedTask: task }: RunOutcome): EngramError {
  if (status === 'cancelled') return new EngramError('RUN_CANCELLED', 'the run was stopped');
  const cause = error ?? new EngramError('INTERNAL', 'a task failed without an error');
  if (task !== undefined) failedTask.set(cause, task);
  return cause;
}

async function sessionOutcome(job: PipelineJob, outcome: RunOutcome, atlas: AtlasFolder): Promise<PipelineOutcome> {
  const { run, inputs } = job;
  const studyUids = Object.fromEntries(inputs.map(({ role, studyUid }) => [role, studyUid]));
  const { name, version } = atlas.manifest;
  const files = await writeSession(
    outcome,
    {
      patientId: run.patient_id,
      sessionDate: run.session_date,
      studyUids,
      atlas: { name, version, sha256: atlas.sha256 },
      engineVersion: VERSION,
    },
    join(job.workDir, 'session'),
  );
  return {
    artifacts: files.artifacts,
    verdict: files.quality.verdict,
    reasons: files.quality.reasons,
    durations: durationsOf(outcome),
    snr: files.quality.mri_snr,
    registration: files.quality.registration_quality,
  };
}

/** A pipeline without a feature document: its own quality file decides, and where it has none a person does. */
async function plainOutcome(outcome: RunOutcome): Promise<PipelineOutcome> {
  const quality = await qualityOf(outcome.artifacts);
  return {
    artifacts: outcome.artifacts,
    verdict: quality?.verdict ?? 'review',
    reasons: quality?.reasons ?? ['this pipeline has no automatic quality control'],
    durations: durationsOf(outcome),
    snr: quality?.mri_snr ?? null,
    registration: quality?.registration_quality ?? null,
  };
}

async function qualityOf(artifacts: readonly RunArtifact[]) {
  const file = artifacts.find((artifact) => artifact.name === ARTIFACTS.qualityMetrics);
  return file && qualityMetrics.parse(JSON.parse(await readFile(file.path, 'utf8')));
}

const durationsOf = ({ tasks, seconds }: RunOutcome): Record<string, number> => ({
  ...Object.fromEntries(tasks.filter((task) => task.status === 'completed').map((task) => [task.name, task.seconds])),
  total_s: seconds,
});
