/** The phantom session that the tests of the pipeline run on, as files. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeNifti } from '@engram/formats';
import { type PhantomSession, phantomSession } from '@engram/testing';
import type { Affine } from '@engram/volume';
import { type AtlasFolder, ensureAtlas } from '../atlas/ensure-atlas.ts';
import { loadAtlas } from '../atlas/load-atlas.ts';

/** undefined where the atlas can be neither found nor fetched: tests that need it skip. */
export const atlasForTests: AtlasFolder | undefined = await ensureAtlas().catch(() => undefined);

/** Coarse, so that a whole run takes seconds. */
const VOXEL_MM = 4;

export interface PhantomFiles extends PhantomSession {
  readonly t1Path: string;
  readonly petPath: string;
  /** The same uptake in a head that is 14 % larger: no rigid motion brings it onto this T1. */
  readonly otherHeadPath: string;
}

export async function writePhantom(folder: AtlasFolder, dir: string): Promise<PhantomFiles> {
  const session = phantomSession(
    await loadAtlas(folder),
    { sessionDate: '2024-09-16', severity: 0.5 },
    { voxelMm: VOXEL_MM, petVoxelMm: VOXEL_MM, frames: 2 },
  );
  const t1Path = join(dir, 't1.nii.gz');
  const petPath = join(dir, 'pet.nii.gz');
  const otherHeadPath = join(dir, 'other.nii.gz');
  const sidecar = JSON.stringify({
    TracerName: session.tracer,
    FrameTimesStart: session.frameStarts,
    FrameDuration: session.frameSeconds,
    InjectionStart: 0,
  });
  const larger: Affine = session.pet.affine.map((value, k) => (k % 4 < 3 && k < 12 ? value * 1.14 : value));
  const description = 'synthetic Engram phantom';
  await writeFile(t1Path, writeNifti(session.t1, { description }));
  await writeFile(petPath, writeNifti(session.pet, { description }));
  await writeFile(otherHeadPath, writeNifti({ ...session.pet, affine: larger }, { description }));
  for (const name of ['pet.json', 'other.json']) await writeFile(join(dir, name), sidecar);
  return { ...session, t1Path, petPath, otherHeadPath };
}
