/** The real ADNI pipeline on images in memory: what a clinic would get for them. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readLabels, readMask, readNifti, writeNifti } from '@engram/formats';
import type { DeviceOptions } from '@engram/kernels';
import {
  ensureAtlas,
  folderTaskStore,
  pipelineNamed,
  type RunOutcome,
  runPipeline,
  type TaskFile,
} from '@engram/pipelines';
import type { LabelVolume, MaskVolume, Volume } from '@engram/volume';

export interface PipelineResult {
  readonly outcome: RunOutcome;
  readonly image: (output: string) => Promise<Volume>;
  readonly mask: (output: string) => Promise<MaskVolume>;
  readonly labels: (output: string) => Promise<LabelVolume>;
  readonly json: (output: string) => Promise<Record<string, unknown>>;
}

/** Paths, or images that are written first. The work folder is removed when `use` ends. */
export async function withPipeline<T>(
  inputs: { readonly t1: Volume | string; readonly pet?: Volume | string },
  use: (result: PipelineResult) => Promise<T>,
  device: DeviceOptions = {},
  resources: Readonly<Record<string, TaskFile>> = {},
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'engram-bench-'));
  try {
    const file = async (name: string, image: Volume | string): Promise<string> => {
      if (typeof image === 'string') return image;
      const path = join(folder, `${name}.nii.gz`);
      await writeFile(path, writeNifti(image));
      return path;
    };
    const atlas = await ensureAtlas();
    const pet = inputs.pet === undefined ? {} : { pet: { path: await file('pet', inputs.pet), tracer: 'FDG' } };
    const outcome = await runPipeline({
      definition: pipelineNamed('adni'),
      inputs: { t1: { path: await file('t1', inputs.t1) }, ...pet },
      resources: { atlas: { path: atlas.dir, sha256: atlas.sha256 }, ...resources },
      store: folderTaskStore(join(folder, 'tasks')),
      workDir: join(folder, 'work'),
      device,
    });
    return await use({
      outcome,
      image: async (name) => (await readNifti(outcome.output(name))).volume,
      mask: async (name) => (await readMask(outcome.output(name))).mask,
      labels: async (name) => (await readLabels(outcome.output(name))).labels,
      json: async (name) => JSON.parse(await readFile(outcome.output(name), 'utf8')),
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
