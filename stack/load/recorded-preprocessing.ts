/** The preprocessing service as a process, all of it its own but the imaging pipeline. */
import { createPreprocessing } from '@engram/preprocessing';
import { runService, VERSION } from '@engram/service';
import { recordedRunner } from './recorded-runner.ts';

const setting = (name: string): string => {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
};

const runner = recordedRunner({
  taskMs: Number(setting('RECORDED_TASK_MS')),
  imageBytes: Number(setting('RECORDED_IMAGE_BYTES')),
  journal: setting('RECORDED_JOURNAL'),
});
await runService('preprocessing', async (deps) => createPreprocessing({ ...deps, version: VERSION, runner }));
