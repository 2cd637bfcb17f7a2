/** Puts the mean of its two neighbours where a single slice is missing. */
import { type NiftiHeader, readNifti, writeNifti } from '@engram/formats';
import { type Affine, flipLps, type Shape3, type Volume } from '@engram/volume';
import type { SeriesCheck } from './check-series.ts';

/**
 * @param volume as dcm2niix wrote it: slices in order along k, one or more gaps unseen.
 * @returns the completed image; each slice at the place its header gave.
 */
export async function fillGaps(
  bytes: Uint8Array,
  volume: Volume,
  header: NiftiHeader,
  check: SeriesCheck,
): Promise<{ readonly bytes: Uint8Array; readonly volume: Volume; readonly header: NiftiHeader }> {
  const { normal, spacing, gaps } = check;
  if (normal === null || spacing === null || volume.shape[2] !== check.slices || volume.frames !== 1) {
    return { bytes, volume, header };
  }
  const [nx, ny, nz] = volume.shape;
  const upwards = flipLps(normal);
  const step = [volume.affine[2], volume.affine[6], volume.affine[10]];
  const forwards = upwards[0] * step[0] + upwards[1] * step[1] + upwards[2] * step[2] > 0;
  const behind = new Set(gaps.map(({ after }) => (forwards ? after : nz - 2 - after)));
  const plane = nx * ny;
  const shape: Shape3 = [nx, ny, nz + gaps.length];
  const data = new Float32Array(plane * shape[2]);
  let target = 0;
  for (let k = 0; k < nz; k++) {
    data.set(volume.data.subarray(k * plane, (k + 1) * plane), target);
    target += plane;
    if (!behind.has(k)) continue;
    for (let i = 0; i < plane; i++) {
      data[target + i] = Math.round((volume.data[k * plane + i] + volume.data[(k + 1) * plane + i]) / 2);
    }
    target += plane;
  }
  // dcm2niix's own step was measured across the gap or beside it; the headers say what it is.
  const sign = forwards ? spacing : -spacing;
  const affine: Affine = volume.affine.map((value, at) =>
    at % 4 === 2 && at < 12 ? upwards[(at - 2) / 4] * sign : value,
  );
  const datatype = header.datatype === 'int16' || header.datatype === 'uint16' ? header.datatype : 'float32';
  const filled = writeNifti({ shape, frames: 1, affine, data }, { datatype, description: 'dcm2niix', gzip: false });
  return { bytes: filled, ...(await readNifti(filled)) };
}
