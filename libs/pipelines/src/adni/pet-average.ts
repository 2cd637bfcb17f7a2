import { averageFrames, rounded } from '@engram/imaging';
import { z } from 'zod';
import { defineTask } from '../task.ts';
import { FLOATS, readImage, writeImage, writeJson } from './files.ts';
import { readPetSummary } from './import-pet.ts';
import type { AdniParameters } from './parameters.ts';
import { windowOf } from './pet-timing.ts';

export const averageSummary = z.object({
  frames: z.int(),
  window_s: z.tuple([z.number(), z.number()]).nullable(),
  motion_mm: z.array(z.number()),
});

/** Brings the frames of the tracer's window into register and averages them. */
export const petAverage = defineTask<AdniParameters>({
  name: 'pet-average',
  version: 2,
  needs: ['import-pet'],
  weight: 8,
  outputs: ['pet_mean.nii.gz', 'average.json'],
  parameterKeys: [],
  run: async (context) => {
    const pet = await readImage(context, 'import-pet/pet.nii.gz');
    const { tracer, timing } = await readPetSummary(context);
    const window = tracer === null ? undefined : windowOf(tracer);
    const found = await averageFrames(
      pet,
      timing,
      { onProgress: context.progress, ...(window === undefined ? {} : { tracerWindowS: window }) },
      context.device,
    );
    for (const warning of found.warnings) context.warn(warning);
    await writeImage(context, 'pet_mean.nii.gz', found.mean, FLOATS);
    const motion = found.motionMm.map(rounded);
    await writeJson(context, 'average.json', { frames: found.frames, window_s: found.windowS, motion_mm: motion });
    context.note(`${found.frames} of ${pet.frames} frames, most motion ${Math.max(0, ...motion).toFixed(1)} mm`);
  },
});
