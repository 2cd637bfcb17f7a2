import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { factsOfSeries, petTimingOf, petTimingOfSidecar, tracerOf, tracerOfName } from '@engram/dicom';
import { EngramError } from '@engram/errors';
import { readNifti } from '@engram/formats';
import { type Volume, voxelSize } from '@engram/volume';
import { z } from 'zod';
import { sidecarOf } from '../run-inputs.ts';
import { defineTask, type TaskContext } from '../task.ts';
import { convertDicom } from './convert-dicom.ts';
import { FLOATS, readJson, writeImage, writeJson } from './files.ts';
import type { AdniParameters } from './parameters.ts';
import { SCANNER, spaceOf } from './pet-pose.ts';
import { type PetMetadata, parsePetSidecar, windowOf } from './pet-timing.ts';

export const petSummary = z.object({
  /** Short name such as FDG where it is a known one, else as it was named; null when nobody said. */
  tracer: z.string().nullable(),
  timing: z.object({ startsS: z.array(z.number()), durationsS: z.array(z.number()) }).nullable(),
  frames: z.int(),
  /** NIfTI code of the space the header places it in; scanner coordinates for DICOM. */
  space: z.int(),
});

export const readPetSummary = async (context: TaskContext): Promise<z.infer<typeof petSummary>> =>
  petSummary.parse(await readJson(context, 'import-pet/pet.json'));

const LEAST_EXTENT_MM = 90;

/** Reads the PET and what is known of its frames and tracer. */
export const importPet = defineTask<AdniParameters>({
  name: 'import-pet',
  version: 3,
  needs: [],
  reads: ['pet'],
  weight: 4,
  outputs: ['pet.nii.gz', 'pet.json'],
  parameterKeys: [],
  run: async (context) => {
    const { path } = context.input('pet');
    const { volume, metadata, space } = (await stat(path)).isDirectory()
      ? await fromDicom(context, path)
      : await fromNifti(path);
    const file = basename(path);
    checkPet(volume, file);
    for (const warning of metadata.warnings) context.warn(warning);
    // The files' own word comes first; what was said beside them fills a gap and is never guessed.
    const named = metadata.tracer ?? context.tracer ?? null;
    const tracer = named === null ? null : (tracerOfName(named) ?? named);
    if (tracer === null) context.warn('The PET does not name its tracer: it is masked in any forecast');
    else if (windowOf(tracer) === undefined) context.warn('The tracer is not one with a known time window');
    const { timing } = metadata;
    const fits = timing === null || timing.startsS.length === volume.frames;
    if (!fits)
      context.warn(`The sidecar has times of ${timing.startsS.length} frames for ${volume.frames}: left aside`);
    await writeImage(context, 'pet.nii.gz', volume, FLOATS);
    await writeJson(context, 'pet.json', { tracer, timing: fits ? timing : null, frames: volume.frames, space });
  },
});

interface Imported {
  readonly volume: Volume;
  readonly metadata: PetMetadata;
  readonly space: number;
}

async function fromNifti(path: string): Promise<Imported> {
  const { volume, header } = await readNifti(path);
  const space = spaceOf(header);
  const text = await readFile(sidecarOf(path), 'utf8').catch(() => undefined);
  if (text === undefined) return { volume, space, metadata: { tracer: null, timing: null, warnings: [] } };
  try {
    return { volume, space, metadata: parsePetSidecar(JSON.parse(text)) };
  } catch {
    const warnings = ['The PET sidecar is not JSON: left aside'];
    return { volume, space, metadata: { tracer: null, timing: null, warnings } };
  }
}

async function fromDicom(context: TaskContext, path: string): Promise<Imported> {
  const { volume, sidecar, warnings, series } = await convertDicom(path, 'pet', context.note);
  const metadata = parsePetSidecar(sidecar);
  const { tracer } = tracerOf(factsOfSeries(series).radiopharmaceutical);
  const times = petTimingOf(series) ?? petTimingOfSidecar(sidecar);
  const timing = times && {
    startsS: times.frames.map(({ start }) => start),
    durationsS: times.frames.map(({ duration }) => duration),
  };
  return { volume, space: SCANNER, metadata: { tracer: tracer ?? metadata.tracer, timing, warnings } };
}

function checkPet({ shape, affine, data }: Volume, file: string): void {
  const extent = voxelSize(affine).map((size, axis) => size * shape[axis]);
  if (extent.some((length) => length < LEAST_EXTENT_MM))
    throw new EngramError('IMAGE_GEOMETRY', `${file}: the field of view does not fit a head`, {
      file,
      field: 'pixdim',
    });
  let [low, high, air] = [Infinity, -Infinity, 0];
  for (let at = 0; at < data.length; at++) {
    low = Math.min(low, data[at]);
    high = Math.max(high, data[at]);
    if (data[at] < -400) air++;
  }
  if (!(high > 0) || !(high > low)) throw new EngramError('IMAGE_EMPTY', `${file}: holds no counts`, { file });
  // Reconstructions have some negative noise; a tenth of the voxels below -400 is a CT.
  if (low <= -800 && air > 0.1 * data.length)
    throw new EngramError('IMAGE_MODALITY', `${file}: values as of a CT; a PET is needed`, { file });
}
