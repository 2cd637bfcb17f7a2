/** Refuses what cannot be a T1 of a head, by what its voxels say. */
import { EngramError } from '@engram/errors';
import { type Volume, voxelSize } from '@engram/volume';

const LEAST_SLICES = 12;
const LEAST_EXTENT_MM = 90;
const MOST_EXTENT_MM = 450;
const THICKEST_MM = 8;

/** @throws IMAGE_DIMENSIONS, IMAGE_GEOMETRY, IMAGE_MODALITY, IMAGE_EMPTY, each naming the file. */
export function checkT1(t1: Volume, file: string): void {
  if (t1.frames !== 1)
    throw new EngramError('IMAGE_DIMENSIONS', `${file}: holds ${t1.frames} frames; a T1 has one`, {
      file,
      field: 'dim',
    });
  const least = Math.min(...t1.shape);
  if (least < LEAST_SLICES)
    throw new EngramError('IMAGE_DIMENSIONS', `${file}: ${t1.shape.join(' x ')} voxels are too few for a head`, {
      file,
      field: 'dim',
    });
  const size = voxelSize(t1.affine);
  if (size.some((mm) => mm > THICKEST_MM))
    throw new EngramError('IMAGE_GEOMETRY', `${file}: voxels of ${mm(size)} mm are too coarse`, {
      file,
      field: 'pixdim',
    });
  const extent = size.map((step, axis) => step * t1.shape[axis]);
  if (extent.some((length) => length < LEAST_EXTENT_MM || length > MOST_EXTENT_MM))
    throw new EngramError('IMAGE_GEOMETRY', `${file}: a field of view of ${mm(extent)} mm does not fit a head`, {
      file,
      field: 'pixdim',
    });
  checkIntensities(t1, file);
}

const mm = (values: readonly number[]): string => values.map((value) => Number(value.toPrecision(3))).join(' x ');

function checkIntensities({ data }: Volume, file: string): void {
  let [low, high, air] = [Infinity, -Infinity, 0];
  for (let at = 0; at < data.length; at++) {
    const value = data[at];
    if (value < low) low = value;
    if (value > high) high = value;
    if (value < -400) air++;
  }
  if (!(high > low)) throw new EngramError('IMAGE_EMPTY', `${file}: every voxel is ${low}`, { file });
  // Hounsfield units: much of a CT is air near -1000.
  if (low <= -800 && air > 0.1 * data.length)
    throw new EngramError('IMAGE_MODALITY', `${file}: values as of a CT (air near -1000); a T1-weighted MR is needed`, {
      file,
    });
  if (!(high > 0)) throw new EngramError('IMAGE_EMPTY', `${file}: no voxel is above 0`, { file });
}
