/**
 * Stands for the imaging pipeline where its numbers do not matter: two tasks that take the time they are told to, kept in
 * the service's own task store, and the files of a session with a recorded result.
 */
import { createHash } from 'node:crypto';
import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PipelineJob, PipelineRunner } from '@engram/preprocessing';
import { contentOf, featureDocument } from '@engram/simulation/recorded';

export interface RecordedOptions {
  /** Of each of the two tasks. */
  readonly taskMs: number;
  /** Of the image that the first task leaves. */
  readonly imageBytes: number;
  /** Takes one line a task that was computed, not found: `run task`. */
  readonly journal: string;
}

const sha256Of = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');

/** Bytes that nothing compresses and that differ from study to study. */
function imageOf(content: string, bytes: number): Buffer {
  const blocks = Array.from({ length: Math.ceil(bytes / 32) }, (_, k) =>
    createHash('sha256').update(`${content}\n${k}`).digest(),
  );
  return Buffer.concat(blocks).subarray(0, bytes);
}

export function recordedRunner({ taskMs, imageBytes, journal }: RecordedOptions): PipelineRunner {
  async function task(job: PipelineJob, name: string, file: string, make: () => Buffer): Promise<void> {
    const key = sha256Of(`${name}\n${contentOf(job.run.inputs)}`);
    const reused = (await job.tasks.find(key)) !== undefined;
    if (reused) await job.tasks.load(key, job.workDir);
    else {
      await sleep(taskMs, undefined, { signal: job.signal });
      const bytes = make();
      await writeFile(join(job.workDir, file), bytes);
      await job.tasks.save(key, job.workDir, {
        schema: 'engram/task-result/1',
        key,
        task: name,
        version: 1,
        device: 'recorded',
        files: [{ name: file, sha256: sha256Of(bytes), bytes: bytes.length }],
        notes: [],
        warnings: [],
        seconds: taskMs / 1000,
        cpu_seconds: 0,
        peak_memory_mb: 1,
      });
      await appendFile(journal, `${job.run.run_id} ${name}\n`);
    }
    const isFirst = name === 'brain';
    job.onProgress({
      task: { name, status: 'completed', reused, seconds: taskMs / 1000 },
      fraction: isFirst ? 0.5 : 1,
      secondsLeft: isFirst ? taskMs / 1000 : 0,
    });
  }

  return async (job) => {
    const { run, workDir } = job;
    const content = contentOf(run.inputs);
    const started = new Date().toISOString();
    await mkdir(workDir, { recursive: true });
    await task(job, 'brain', 'mri_brain.nii.gz', () => imageOf(content, imageBytes));
    await task(job, 'features', 'roi_features.json', () =>
      Buffer.from(
        JSON.stringify(
          featureDocument({
            patientId: run.patient_id,
            sessionDate: run.session_date,
            inputs: run.inputs,
            madeAt: started,
          }),
        ),
      ),
    );
    await writeFile(join(workDir, 'preprocessing_log.json'), JSON.stringify({ started }));
    const artifacts = await Promise.all(
      ['mri_brain.nii.gz', 'preprocessing_log.json', 'roi_features.json'].map(async (name) => {
        const path = join(workDir, name);
        return { name, path, sha256: sha256Of(await readFile(path)) };
      }),
    );
    const durations = { total_s: (2 * taskMs) / 1000 };
    return { artifacts, verdict: 'pass', reasons: [], durations, snr: 21.5, registration: 'good' };
  };
}
