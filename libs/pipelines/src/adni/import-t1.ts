import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { type NiftiHeader, readNifti } from '@engram/formats';
import { orientationOf, type Volume, voxelSize } from '@engram/volume';
import { defineTask, type TaskContext } from '../task.ts';
import { checkT1 } from './check-t1.ts';
import { convertDicom } from './convert-dicom.ts';
import { FLOATS, writeImage } from './files.ts';
import type { AdniParameters } from './parameters.ts';

/** Reads the T1, from NIfTI or a folder of DICOM files, and refuses what is none. */
export const importT1 = defineTask<AdniParameters>({
  name: 'import-t1',
  version: 2,
  needs: [],
  reads: ['t1'],
  weight: 4,
  outputs: ['t1.nii.gz'],
  parameterKeys: ['import'],
  run: async (context) => {
    const { path } = context.input('t1');
    const { volume, header } = (await stat(path)).isDirectory()
      ? await fromDicom(context, path)
      : await readNifti(path);
    checkT1(volume, basename(path));
    const size = voxelSize(volume.affine).map((mm) => Number(mm.toFixed(3)));
    context.note(`${volume.shape.join(' x ')} voxels of ${size.join(' x ')} mm, ${orientationOf(volume.affine)}`);
    // Some converters leave a little ringing below zero; a logarithm cannot take it.
    const data = new Float32Array(volume.data.length);
    for (let at = 0; at < data.length; at++) data[at] = Math.max(0, volume.data[at]);
    await writeImage(context, 't1.nii.gz', { ...volume, data }, { like: header, ...FLOATS });
  },
});

async function fromDicom(
  context: TaskContext<AdniParameters>,
  path: string,
): Promise<{ readonly volume: Volume; readonly header: NiftiHeader }> {
  const { volume, header, warnings } = await convertDicom(
    path,
    't1',
    context.note,
    context.parameters.import.missing_slices,
  );
  for (const warning of warnings) context.warn(warning);
  return { volume, header };
}
