/** Writes NIfTI-1 (default) and NIfTI-2, gzipped the same way every time. */
import { endianness } from 'node:os';
import { EngramError } from '@engram/errors';
import { type LabelVolume, type MaskVolume, orientationOf, reorient, type Volume } from '@engram/volume';
import { type Compression, gzip } from './gzip.ts';
import { type DatatypeEntry, datatypes } from './nifti-datatype.ts';
import type { NiftiHeader } from './nifti-header.ts';
import { niftiHeaderBytes } from './nifti-header-bytes.ts';
import { firstNotFinite } from './nifti-voxels.ts';

const LITTLE_ENDIAN = endianness() === 'LE';

export type WritableDatatype = 'uint8' | 'uint16' | 'int16' | 'int32' | 'float32' | 'float64';

export interface WriteOptions {
  /**
   * Default: float32 for images, uint16 for labels, uint8 for masks. `int16` scales what does not fit (scl_slope,
   * scl_inter); the other integers refuse it.
   */
  readonly datatype?: WritableDatatype;
  /** The header of the image this one was made from: its voxel orientation, codes and frame spacing are kept. */
  readonly like?: NiftiHeader;
  /** sform and qform code without `like`: 1 scanner (default), 2 aligned, 4 MNI152. */
  readonly spaceCode?: 1 | 2 | 3 | 4 | 5;
  /** Seconds between frames. */
  readonly frameSeconds?: number;
  /** What made it, at most 79 characters; never anything about a person. */
  readonly description?: string;
  readonly intent?: { readonly code: number; readonly name?: string };
  readonly version?: 1 | 2;
  /** false writes a plain `.nii`. */
  readonly gzip?: boolean | Compression;
}

/**
 * Bytes of a `.nii.gz` (or `.nii`). World positions are those of the affine; with `like` the voxel axes run as in that
 * file, reordered without resampling where they do not. Equal input gives equal bytes.
 * @throws NIFTI_UNSUPPORTED when values do not fit the integer datatype; IMAGE_GEOMETRY for a singular affine;
 * IMAGE_NOT_FINITE rather than writing NaN or infinity.
 */
export function writeNifti(image: Volume | LabelVolume | MaskVolume, options: WriteOptions = {}): Uint8Array {
  const { like } = options;
  const oriented = like === undefined ? image : inOrientation(image, orientationOf(like.affine));
  const frames = 'frames' in oriented ? oriented.frames : 1;
  const datatype = options.datatype ?? defaultDatatype(oriented.data);
  const { body, slope, inter } = encode(oriented.data, datatype);
  const header = niftiHeaderBytes({
    version: options.version ?? 1,
    dims: frames === 1 ? oriented.shape : [...oriented.shape, frames],
    datatype,
    affine: oriented.affine,
    ...codesOf(options),
    frameSeconds: options.frameSeconds ?? like?.spacing[3] ?? 0,
    slope,
    inter,
    intentCode: options.intent?.code ?? 0,
    intentName: options.intent?.name ?? '',
    description: options.description ?? 'engram',
  });
  return joined(header, body, options.gzip);
}

export function codesOf({ like, spaceCode }: WriteOptions): { qformCode: number; sformCode: number } {
  const sformCode = like?.sformCode || like?.qformCode || spaceCode || 1;
  return { sformCode, qformCode: like?.qformCode || sformCode };
}

export function joined(header: Uint8Array, body: Uint8Array, compress: boolean | Compression = true): Uint8Array {
  const bytes = new Uint8Array(header.length + body.length);
  bytes.set(header);
  bytes.set(body, header.length);
  return compress === false ? bytes : gzip(bytes, compress === true ? undefined : compress);
}

function inOrientation<T extends Volume | LabelVolume | MaskVolume>(image: T, code: string): T {
  return orientationOf(image.affine) === code ? image : reorient(image, code);
}

function defaultDatatype(data: Float32Array | Uint16Array | Uint8Array): WritableDatatype {
  return data instanceof Float32Array ? 'float32' : data instanceof Uint16Array ? 'uint16' : 'uint8';
}

/** Little endian, whatever the machine: the header says so. */
function encode(data: Float32Array | Uint16Array | Uint8Array, datatype: WritableDatatype) {
  const entry = datatypes[datatype];
  const body = new Uint8Array(data.length * entry.bytes);
  const view = new DataView(body.buffer);
  const { slope, inter } = scalingFor(data, datatype, entry);
  const value = (i: number) => (slope === 1 && inter === 0 ? data[i] : Math.round((data[i] - inter) / slope));
  const clamped = (i: number) => Math.min(entry.max, Math.max(entry.min, value(i)));
  switch (datatype) {
    case 'uint8':
      body.set(data);
      break;
    case 'uint16':
      if (LITTLE_ENDIAN) new Uint16Array(body.buffer).set(data);
      else for (let i = 0; i < data.length; i++) view.setUint16(i * 2, data[i], true);
      break;
    case 'int16':
      for (let i = 0; i < data.length; i++) view.setInt16(i * 2, clamped(i), true);
      break;
    case 'int32':
      for (let i = 0; i < data.length; i++) view.setInt32(i * 4, data[i], true);
      break;
    case 'float32':
      if (LITTLE_ENDIAN) new Float32Array(body.buffer).set(data);
      else for (let i = 0; i < data.length; i++) view.setFloat32(i * 4, data[i], true);
      break;
    case 'float64':
      for (let i = 0; i < data.length; i++) view.setFloat64(i * 8, data[i], true);
      break;
  }
  return { body, slope, inter };
}

function scalingFor(
  data: Float32Array | Uint16Array | Uint8Array,
  datatype: WritableDatatype,
  { integer, min, max }: DatatypeEntry,
): { readonly slope: number; readonly inter: number } {
  const bad = data instanceof Float32Array ? firstNotFinite(data) : -1;
  if (bad >= 0) throw new EngramError('IMAGE_NOT_FINITE', `Voxel ${bad} is ${data[bad]}: not written`);
  const largest = data instanceof Uint8Array ? 255 : data instanceof Uint16Array ? 65535 : Infinity;
  if (!integer || largest <= max) return { slope: 1, inter: 0 };
  let [lowest, highest, whole] = [Infinity, -Infinity, true];
  for (let i = 0; i < data.length; i++) {
    const value = data[i];
    if (value < lowest) lowest = value;
    if (value > highest) highest = value;
    if (whole && !Number.isInteger(value)) whole = false;
  }
  if (whole && lowest >= min && highest <= max) return { slope: 1, inter: 0 };
  if (datatype !== 'int16') {
    throw new EngramError(
      'NIFTI_UNSUPPORTED',
      `Values from ${lowest} to ${highest} do not fit ${datatype} as they are`,
    );
  }
  // Scaling is stored as float32, so it is rounded first and the voxels follow what a reader will see.
  const inter = Math.fround((lowest + highest) / 2);
  const reach = Math.max(highest - inter, inter - lowest);
  const slope = Math.fround((reach / max) * (1 + 2 ** -22)) || 1;
  return { slope, inter };
}
