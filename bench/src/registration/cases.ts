/**
 * What registration is measured on: brains of two people painted from label maps (overlap of labels), and the brain of a real head
 * against itself under a known deformation (error in mm).
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readField, readNifti, writeNifti } from '@engram/formats';
import { boxAround, cropLabels, cropMask, cropVolume, fillHoles, resample } from '@engram/imaging';
import { sharedData, t1FromLabels } from '@engram/testing';
import {
  type Affine,
  applyAffine,
  type DisplacementField,
  isotropicGrid,
  type LabelVolume,
  type MaskVolume,
  type Volume,
} from '@engram/volume';
import { readSubject } from '../accuracy/label-maps.ts';
import { withPipeline } from '../accuracy/pipeline-on.ts';
import { runPython } from '../anchors/anchor.ts';

export interface Case {
  readonly name: string;
  readonly tuned: boolean;
  readonly fixed: Volume;
  readonly moving: Volume;
  readonly brain: MaskVolume;
  readonly fixedFile: string;
  readonly movingFile: string;
  readonly labels?: { readonly fixed: LabelVolume; readonly moving: LabelVolume };
  readonly truth?: DisplacementField;
}

const within = (image: Volume, mask: MaskVolume): Volume => ({
  ...image,
  data: image.data.map((value, at) => (mask.data[at] > 0 ? value : 0)),
});

async function written(folder: string, name: string, image: Volume): Promise<string> {
  const path = join(folder, `${name}.nii.gz`);
  await writeFile(path, writeNifti(image));
  return path;
}

/** Room around the brain for what a deformation moves out of its box, voxels of 1 mm: a grid of about 180 x 220 x 180. */
const ROOM = 28;

export async function pairCase(folder: string, fixedName: string, movingName: string, tuned: boolean): Promise<Case> {
  const [fixedLabels, movingLabels] = await Promise.all([readSubject(fixedName), readSubject(movingName)]);
  const a = t1FromLabels(fixedLabels, { seed: Number(fixedName), biasSd: 0 });
  const b = t1FromLabels(movingLabels, { seed: Number(movingName), biasSd: 0 });
  const [inFixed, inMoving] = [boxAround(a.truth.brain, ROOM), boxAround(b.truth.brain, ROOM)];
  const fixed = cropVolume(within(a.t1, a.truth.brain), inFixed);
  const moving = cropVolume(within(b.t1, b.truth.brain), inMoving);
  return {
    name: `maps ${movingName} → ${fixedName}`,
    tuned,
    fixed,
    moving,
    brain: cropMask(a.truth.brain, inFixed),
    fixedFile: await written(folder, 'fixed', fixed),
    movingFile: await written(folder, 'moving', moving),
    labels: { fixed: cropLabels(fixedLabels, inFixed), moving: cropLabels(movingLabels, inMoving) },
  };
}

/** The brain of a real head at 1 mm and the yardstick's deformation of it: about 6 mm, with bias and noise. */
export async function headCase(folder: string, head: string, seed: number, tuned: boolean): Promise<Case> {
  const stripped = await withPipeline({ t1: sharedData('t1', `${head}.nii.gz`) }, ({ image }) =>
    image('brain/mri_brain.nii.gz'),
  );
  const whole = await resample(stripped, isotropicGrid(stripped, 1), { interpolation: 'cubic' });
  // The spline overshoots beyond the mask's edge.
  const least = 0.02 * quantileOfPositive(whole.data, 0.99);
  const source = withRoom({ ...whole, data: whole.data.map((value) => (value > least ? value : 0)) });
  const sourceFile = await written(folder, 'source', source);
  await runPython(sharedData('..', 'tools', 'registration', 'mktruth.py'), [sourceFile, folder, String(seed)]);
  const [fixedFile, movingFile] = [join(folder, 'fixed.nii.gz'), join(folder, 'moving.nii.gz')];
  const [{ volume: fixed }, { volume: moving }] = [await readNifti(fixedFile), await readNifti(movingFile)];
  const { field: truth } = await readField(join(folder, 'truth_field.nii.gz'));
  const brain = fillHoles({ shape: fixed.shape, affine: fixed.affine, data: Uint8Array.from(fixed.data, positive) });
  return { name: head, tuned, fixed, moving, brain, fixedFile, movingFile, truth };
}

const positive = (value: number): number => (value > 0 ? 1 : 0);

function quantileOfPositive(data: Float32Array, q: number): number {
  const sorted = data.filter((value) => value > 0).sort();
  return sorted[Math.floor(q * (sorted.length - 1))];
}

/** Cropped to what is not 0, with room around it. */
function withRoom(image: Volume): Volume {
  const [nx, ny, nz] = image.shape;
  const low = [nx, ny, nz];
  const high = [0, 0, 0];
  image.data.forEach((value, at) => {
    if (value === 0) return;
    [at % nx, Math.floor(at / nx) % ny, Math.floor(at / (nx * ny))].forEach((index, axis) => {
      low[axis] = Math.min(low[axis], index);
      high[axis] = Math.max(high[axis], index);
    });
  });
  const start = low.map((index) => index - ROOM) as [number, number, number];
  const shape = high.map((index, axis) => index - low[axis] + 1 + 2 * ROOM) as [number, number, number];
  const [x, y, z] = applyAffine(image.affine, start);
  const a = image.affine;
  const affine: Affine = [a[0], a[1], a[2], x, a[4], a[5], a[6], y, a[8], a[9], a[10], z, 0, 0, 0, 1];
  const data = new Float32Array(shape[0] * shape[1] * shape[2]);
  for (let k = low[2]; k <= high[2]; k++)
    for (let j = low[1]; j <= high[1]; j++) {
      const row = (k * ny + j) * nx;
      const to = ((k - start[2]) * shape[1] + (j - start[1])) * shape[0] + ROOM;
      data.set(image.data.subarray(row + low[0], row + high[0] + 1), to);
    }
  return { ...image, shape, affine, data };
}
