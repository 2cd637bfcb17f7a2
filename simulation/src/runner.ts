/** The recorded pipeline: two tasks that take virtual time, kept in the real task store, and the files they leave. */
import { EngramError } from '@engram/errors';
import type { PipelineJob, PipelineOutcome, PipelineRunner } from '@engram/preprocessing';
import type { Life } from './life.ts';
import { type ObjectsState, sha256Of } from './ports/objects.ts';
import { contentOf, featureDocument } from './recorded.ts';

/** In the URL of images that no pipeline can read. */
export const BROKEN = 'broken';

const TASK_MS = [300, 15_000] as const;

export function recordedRunner(life: Life, { files }: ObjectsState): PipelineRunner {
  const { chance } = life.world;

  async function task(job: PipelineJob, name: string, file: string, make: () => string): Promise<void> {
    const key = sha256Of(`${name}\n${contentOf(job.run.inputs)}`);
    const reused = (await job.tasks.find(key)) !== undefined;
    if (reused) await job.tasks.load(key, job.workDir);
    else {
      await life.pause(chance.between(...TASK_MS), job.signal);
      job.signal.throwIfAborted();
      const bytes = Buffer.from(make());
      files.set(`${job.workDir}/${file}`, bytes);
      await job.tasks.save(key, job.workDir, {
        schema: 'engram/task-result/1',
        key,
        task: name,
        version: 1,
        device: 'recorded',
        files: [{ name: file, sha256: sha256Of(bytes), bytes: bytes.length }],
        notes: [],
        warnings: [],
        seconds: 1,
        cpu_seconds: 1,
        peak_memory_mb: 1,
      });
    }
    const status = 'completed' as const;
    job.onProgress({
      task: { name, status, reused, seconds: 1 },
      fraction: name === 'brain' ? 0.5 : 1,
      secondsLeft: 0,
    });
  }

  return async (job): Promise<PipelineOutcome> => {
    const started = life.now().toISOString();
    const { run, workDir } = job;
    if (contentOf(run.inputs).includes(BROKEN)) {
      throw new EngramError('NIFTI_TRUNCATED', 'the image ends early', { file: 't1.nii.gz' });
    }
    await task(job, 'brain', 'mri_brain.nii.gz', () => `brain of ${contentOf(run.inputs)}`);
    await task(job, 'features', 'roi_features.json', () =>
      JSON.stringify(
        featureDocument({
          patientId: run.patient_id,
          sessionDate: run.session_date,
          inputs: run.inputs,
          madeAt: life.now().toISOString(),
        }),
      ),
    );
    files.set(`${workDir}/preprocessing_log.json`, Buffer.from(JSON.stringify({ started })));
    const artifacts = ['mri_brain.nii.gz', 'preprocessing_log.json', 'roi_features.json'].map((name) => {
      const path = `${workDir}/${name}`;
      return { name, path, sha256: sha256Of(files.get(path) ?? '') };
    });
    return { artifacts, verdict: 'pass', reasons: [], durations: { total_s: 2 }, snr: 21.5, registration: 'good' };
  };
}
