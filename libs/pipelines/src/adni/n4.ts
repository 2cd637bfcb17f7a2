import { correctBias } from '@engram/imaging';
import { defineTask } from '../task.ts';
import { FLOATS, readImageAndHeader, writeImage, writeJson } from './files.ts';
import type { AdniParameters } from './parameters.ts';

/** Removes the coil's shading from the T1. */
export const n4 = defineTask<AdniParameters>({
  name: 'n4',
  version: 2,
  needs: ['import-t1'],
  weight: 12,
  outputs: ['n4.nii.gz', 'n4.json'],
  parameterKeys: ['n4'],
  run: async (context) => {
    const { volume, header } = await readImageAndHeader(context, 'import-t1/t1.nii.gz');
    const { n4: options } = context.parameters;
    const { corrected, iterations, convergence } = await correctBias(volume, {
      shrink: options.shrink_mm,
      levels: options.levels,
      iterations: options.iterations,
      splineSpacing: options.spline_mm,
      onProgress: context.progress,
    });
    await writeImage(context, 'n4.nii.gz', corrected, { like: header, ...FLOATS });
    await writeJson(context, 'n4.json', { iterations, convergence });
    context.note(`${iterations.join(' + ')} iterations`);
  },
});
