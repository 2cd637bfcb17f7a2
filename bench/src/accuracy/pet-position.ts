/** PET to T1 beside elastix: an FDG-like PET of a label map under a known rigid motion (the yardstick's `mkpet.py`). */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readField, readLabels, readNifti } from '@engram/formats';
import { alignPetToT1 } from '@engram/imaging';
import { sharedData } from '@engram/testing';
import {
  type Affine,
  applyAffine,
  type DisplacementField,
  invertAffine,
  type MaskVolume,
  type Vec3,
} from '@engram/volume';
import { runAnchor, runPython } from '../anchors/anchor.ts';
import { mean } from '../scores.ts';

export interface PetScores {
  readonly subject: string;
  readonly tool: string;
  readonly startMm: number;
  readonly meanMm: number;
  readonly maxMm: number;
  readonly cpuSeconds: number;
}

/** FreeSurfer numbers that are no part of a brain: unknown, and tissue around it in these maps. */
const OUTSIDE = new Set([0, 24, 165, 258, 259]);
/** Every how many voxels of the brain a point is scored. */
const STRIDE = 97;

export async function scorePetPosition(subject: string): Promise<PetScores[]> {
  const folder = await mkdtemp(join(tmpdir(), 'engram-pet-'));
  const file = (name: string) => join(folder, name);
  try {
    const map = sharedData('labels', `training_seg_${subject}.nii.gz`);
    await runPython(sharedData('..', 'tools', 'registration', 'mkpet.py'), [map, folder, subject]);
    const truth = JSON.parse(await readFile(file('pet_truth.json'), 'utf8')) as { t1_ras_to_pet_ras: number[][] };
    const matrix = truth.t1_ras_to_pet_ras.flat() as unknown as Affine;
    const { volume: t1 } = await readNifti(file('t1.nii.gz'));
    const { volume: pet } = await readNifti(file('pet.nii.gz'));
    const { labels } = await readLabels(map);
    const brain = {
      shape: labels.shape,
      affine: labels.affine,
      data: Uint8Array.from(labels.data, (label) => (OUTSIDE.has(label) ? 0 : 1)),
    };
    const { cpu_seconds: cpu } = await runAnchor('elastix_rigid.py', [
      file('t1.nii.gz'),
      file('pet.nii.gz'),
      file('field.nii.gz'),
    ]);
    const { field } = await readField(file('field.nii.gz'));
    const start = process.cpuUsage();
    const found = await alignPetToT1(pet, t1, brain);
    const { user, system } = process.cpuUsage(start);

    const points = pointsOf(brain);
    const real = points.map((point) => applyAffine(matrix, point));
    const toT1 = invertAffine(t1.affine);
    const errors = (place: (point: Vec3) => Vec3): number[] => points.map((point, n) => apart(place(point), real[n]));
    const row = (tool: string, mm: readonly number[], cpuSeconds: number): PetScores => ({
      subject,
      tool,
      startMm: mean(errors((point) => point)),
      meanMm: mean(mm),
      maxMm: Math.max(...mm),
      cpuSeconds,
    });
    return [
      row(
        'elastix',
        errors((point) => movedBy(field, toT1, point)),
        cpu['rigid'] ?? 0,
      ),
      row(
        'Engram',
        errors((point) => applyAffine(found.matrix, point)),
        (user + system) / 1e6,
      ),
    ];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Some of the mask's voxels, evenly spread, RAS mm. */
function pointsOf({ shape: [nx, ny], affine, data }: MaskVolume): Vec3[] {
  const points: Vec3[] = [];
  for (let at = 0; at < data.length; at += STRIDE)
    if (data[at] > 0) points.push(applyAffine(affine, [at % nx, Math.floor(at / nx) % ny, Math.floor(at / (nx * ny))]));
  return points;
}

/** By the field's nearest voxel: the points are the voxels of the same grid, which only the order of its axes may differ from. */
function movedBy(field: DisplacementField, toVoxel: Affine, point: Vec3): Vec3 {
  const [i, j, k] = applyAffine(toVoxel, point).map(Math.round);
  const at = (k * field.shape[1] + j) * field.shape[0] + i;
  return [point[0] + field.x[at], point[1] + field.y[at], point[2] + field.z[at]];
}

const apart = (a: Vec3, b: Vec3): number => Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
