/**
 * Displacement fields on disk: NIfTI intent 1007 (vector), shape X,Y,Z,1,3, LPS mm, as ITK and ANTs keep them. In memory
 * they are RAS mm: x and y change sign on the way.
 */
import { EngramError } from '@engram/errors';
import type { DisplacementField } from '@engram/volume';
import { nameOf, type Source } from './byte-source.ts';
import type { NiftiHeader } from './nifti-header.ts';
import { niftiHeaderBytes } from './nifti-header-bytes.ts';
import { type ReadOptions, readVoxels } from './read-nifti.ts';
import { codesOf, joined, type WriteOptions } from './write-nifti.ts';

const INTENT_VECTOR = 1007;
/** Some writers (FSL, older ITK) say 1006, displacement vector, for the same layout. */
const INTENT_DISPLACEMENT = 1006;

/** @throws as `readNifti`; IMAGE_DIMENSIONS unless the shape is X,Y,Z,1,3; NIFTI_UNSUPPORTED unless the intent is a vector. */
export async function readField(
  source: Source,
  options: ReadOptions = {},
): Promise<{ readonly field: DisplacementField; readonly header: NiftiHeader }> {
  const name = nameOf(source, options.name);
  const { header, data } = await readVoxels(source, options);
  const { dims, shape, affine } = header;
  if (dims.length !== 5 || dims[3] !== 1 || dims[4] !== 3) {
    throw new EngramError('IMAGE_DIMENSIONS', `${name}: a field has shape X,Y,Z,1,3, this is ${dims.join(',')}`, {
      file: name,
      field: 'dim',
    });
  }
  if (header.intentCode !== INTENT_VECTOR && header.intentCode !== INTENT_DISPLACEMENT) {
    throw new EngramError('NIFTI_UNSUPPORTED', `${name}: intent ${header.intentCode} is no field; 1007 is`, {
      file: name,
      field: 'intent_code',
    });
  }
  const n = shape[0] * shape[1] * shape[2];
  const [x, y, z] = [data.slice(0, n), data.slice(n, 2 * n), data.slice(2 * n, 3 * n)];
  for (let i = 0; i < n; i++) {
    x[i] = -x[i];
    y[i] = -y[i];
  }
  return { field: { shape, affine, x, y, z }, header };
}

/** Bytes of a `.nii.gz`. @throws IMAGE_NOT_FINITE, IMAGE_GEOMETRY. */
export function writeField(
  field: DisplacementField,
  options: Pick<WriteOptions, 'like' | 'spaceCode' | 'description' | 'gzip'> = {},
): Uint8Array {
  const n = field.x.length;
  const body = new Uint8Array(n * 12);
  const view = new DataView(body.buffer);
  const put = (values: Float32Array, component: number, sign: 1 | -1) => {
    for (let i = 0; i < n; i++) {
      if (!Number.isFinite(values[i]))
        throw new EngramError('IMAGE_NOT_FINITE', `Voxel ${i} of the field is ${values[i]}`);
      view.setFloat32((component * n + i) * 4, sign * values[i], true);
    }
  };
  put(field.x, 0, -1);
  put(field.y, 1, -1);
  put(field.z, 2, 1);
  const header = niftiHeaderBytes({
    version: 1,
    dims: [...field.shape, 1, 3],
    datatype: 'float32',
    affine: field.affine,
    ...codesOf(options),
    frameSeconds: 0,
    slope: 1,
    inter: 0,
    intentCode: INTENT_VECTOR,
    intentName: '',
    description: options.description ?? 'engram displacement field, LPS mm',
  });
  return joined(header, body, options.gzip);
}
