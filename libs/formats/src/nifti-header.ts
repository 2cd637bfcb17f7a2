/**
 * NIfTI-1 and NIfTI-2 headers. nifti-reader-js reads the fields; the guard here decides whether to believe them: it
 * checks almost nothing itself (negative or huge sizes, NaN offsets, unknown datatypes and broken extensions pass).
 */
import { EngramError } from '@engram/errors';
import { type Affine, invertAffine, type Qform, qformToAffine, type Shape3 } from '@engram/volume';
import { NIFTI1, NIFTI2 } from 'nifti-reader-js';
import type { Limits } from './limits.ts';
import { type Datatype, datatypeName, datatypeOf, datatypes } from './nifti-datatype.ts';

export interface NiftiHeader {
  readonly version: 1 | 2;
  readonly littleEndian: boolean;
  /** Sizes of all dimensions, as many as dim[0] says. */
  readonly dims: readonly number[];
  readonly shape: Shape3;
  /** Size along t; 1 for a 3D image. */
  readonly frames: number;
  /** Components a voxel (dim 5 and above): 1 for a scalar image, 3 for a displacement field. */
  readonly components: number;
  readonly datatype: Datatype;
  /** pixdim[1..]: mm along i, j, k, then seconds, … as stored. */
  readonly spacing: readonly number[];
  /** Byte where the voxels begin. */
  readonly voxOffset: number;
  /** undefined where the file says none (slope 0 or not finite), as nibabel. */
  readonly scaling: { readonly slope: number; readonly inter: number } | undefined;
  readonly qformCode: number;
  readonly sformCode: number;
  /** Voxel indices to RAS mm: the sform if its code is set, else the qform, else the spacings centred on 0 with x to the left. */
  readonly affine: Affine;
  readonly affineSource: 'sform' | 'qform' | 'spacing';
  readonly intentCode: number;
  readonly intentName: string;
  readonly description: string;
  readonly xyztUnits: number;
}

/** Bytes needed to read a header: NIfTI-2 is the longer one. */
export const HEADER_BYTES = 540;

interface RawHeader {
  readonly version: 1 | 2;
  readonly raw: NIFTI1 | NIFTI2;
  readonly srows: readonly number[];
}

/** Reads a header from the first bytes of a file (inflated). @throws NIFTI_INVALID, NIFTI_UNSUPPORTED, NIFTI_TRUNCATED, IMAGE_DIMENSIONS, IMAGE_GEOMETRY, FILE_TOO_LARGE. */
export function parseNiftiHeader(bytes: Uint8Array, name: string, limits: Limits): NiftiHeader {
  const { version, raw, srows } = readRaw(bytes, name);
  const fail = (code: 'NIFTI_INVALID' | 'IMAGE_DIMENSIONS' | 'NIFTI_UNSUPPORTED', field: string, message: string) => {
    throw new EngramError(code, `${name}: ${message}`, { file: name, field });
  };

  const rank = raw.dims[0];
  if (!Number.isInteger(rank) || rank < 1 || rank > 7) fail('NIFTI_INVALID', 'dim', `dim[0] is ${rank}, not 1 to 7`);
  const dims = raw.dims.slice(1, 1 + rank);
  for (const [axis, size] of dims.entries()) {
    if (!Number.isInteger(size) || size < 1 || size > limits.maxDimension) {
      fail('IMAGE_DIMENSIONS', 'dim', `dim[${axis + 1}] is ${size}, not 1 to ${limits.maxDimension}`);
    }
  }
  if (rank < 3) fail('IMAGE_DIMENSIONS', 'dim', `the image has ${rank} dimensions, not 3 or more`);

  const datatype = datatypeOf(raw.datatypeCode);
  if (datatype === undefined) {
    const known = Object.keys(datatypes).join(', ');
    throw new EngramError(
      'NIFTI_UNSUPPORTED',
      `${name}: voxels of type ${datatypeName(raw.datatypeCode)} are not handled; convert to one of ${known}`,
      { file: name, field: 'datatype' },
    );
  }
  const bytesNeeded = dims.reduce((product, size) => product * size, 1) * datatypes[datatype].bytes;
  if (bytesNeeded > limits.maxImageBytes) {
    throw new EngramError(
      'FILE_TOO_LARGE',
      `${name}: ${dims.join(' x ')} voxels of ${datatype} need ${bytesNeeded} bytes; the limit is ${limits.maxImageBytes}`,
      { file: name, field: 'dim' },
    );
  }

  const smallest = version === 1 ? 352 : 544;
  const voxOffset = raw.vox_offset;
  if (!Number.isInteger(voxOffset) || voxOffset < smallest || voxOffset > limits.maxImageBytes) {
    fail('NIFTI_INVALID', 'vox_offset', `vox_offset is ${voxOffset}, not a byte position from ${smallest}`);
  }

  return {
    version,
    littleEndian: raw.littleEndian,
    dims,
    shape: [dims[0], dims[1], dims[2]],
    frames: dims[3] ?? 1,
    components: dims.slice(4).reduce((product, size) => product * size, 1),
    datatype,
    spacing: raw.pixDims.slice(1, 1 + rank),
    voxOffset,
    scaling: scalingOf(raw, name),
    ...placeOf(raw, srows, dims, name),
    intentCode: raw.intent_code,
    intentName: raw.intent_name,
    description: raw.description,
    xyztUnits: raw.xyzt_units,
  };
}

/** Hands exactly the header to nifti-reader-js, so that it never walks the extensions (a size of 0 makes it throw). */
function readRaw(bytes: Uint8Array, name: string): RawHeader {
  if (bytes.length < 348) {
    throw new EngramError('NIFTI_INVALID', `${name}: ${bytes.length} bytes are too few for a NIfTI header`, {
      file: name,
    });
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const is = (size: number) => view.getInt32(0, true) === size || view.getInt32(0, false) === size;
  const magic = (at: number) => String.fromCharCode(...bytes.subarray(at, at + 3));
  const version = is(348) ? 1 : is(540) ? 2 : undefined;
  const found = version === 1 ? magic(344) : version === 2 ? magic(4) : '';
  if (found === 'ni1' || found === 'ni2') {
    throw new EngramError('NIFTI_UNSUPPORTED', `${name}: half of a .hdr/.img pair; convert to a single .nii`, {
      file: name,
    });
  }
  if (version === undefined || found !== `n+${version}`) {
    throw new EngramError('NIFTI_INVALID', `${name}: not a NIfTI file`, { file: name, field: 'magic' });
  }
  const length = version === 1 ? 348 : HEADER_BYTES;
  if (bytes.length < length) {
    throw new EngramError('NIFTI_TRUNCATED', `${name}: ends within its header`, { file: name });
  }
  const header = new Uint8Array(bytes.subarray(0, length)).buffer;
  const raw = version === 1 ? new NIFTI1() : new NIFTI2();
  try {
    raw.readHeader(header);
  } catch (cause) {
    throw new EngramError('NIFTI_INVALID', `${name}: the header cannot be read`, { file: name, cause });
  }
  // nifti-reader-js drops the sform where the qform's code is larger; nibabel, ITK and we prefer the sform.
  const srows = Array.from({ length: 12 }, (_, index) =>
    version === 1
      ? view.getFloat32(280 + index * 4, raw.littleEndian)
      : view.getFloat64(400 + index * 8, raw.littleEndian),
  );
  return { version, raw, srows };
}

function scalingOf(raw: NIFTI1 | NIFTI2, name: string): NiftiHeader['scaling'] {
  const { scl_slope: slope, scl_inter: inter } = raw;
  if (slope === 0 || !Number.isFinite(slope)) return undefined;
  if (!Number.isFinite(inter)) {
    throw new EngramError('NIFTI_INVALID', `${name}: scl_slope is ${slope} but scl_inter is ${inter}`, {
      file: name,
      field: 'scl_inter',
    });
  }
  return slope === 1 && inter === 0 ? undefined : { slope, inter };
}

/** Codes above 4 (5 in newer standards) mean nothing: nibabel takes them as 0. */
const codeOf = (code: number): number => (Number.isInteger(code) && code >= 1 && code <= 5 ? code : 0);

type Place = Pick<NiftiHeader, 'affine' | 'affineSource' | 'qformCode' | 'sformCode'>;

function placeOf(raw: NIFTI1 | NIFTI2, srows: readonly number[], dims: readonly number[], name: string): Place {
  const [qformCode, sformCode] = [codeOf(raw.qform_code), codeOf(raw.sform_code)];
  const affineSource = sformCode > 0 ? 'sform' : qformCode > 0 ? 'qform' : 'spacing';
  try {
    const stored =
      affineSource === 'sform'
        ? [...srows, 0, 0, 0, 1]
        : affineSource === 'qform'
          ? qformToAffine(qformOf(raw))
          : spacingAffine(raw.pixDims, dims);
    const affine = inMillimetres(stored, raw.xyzt_units);
    if (!affine.every(Number.isFinite)) throw new EngramError('IMAGE_GEOMETRY', 'the affine is not finite');
    invertAffine(affine);
    return { affine, affineSource, qformCode, sformCode };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : 'unreadable';
    throw new EngramError('IMAGE_GEOMETRY', `${name}: its ${affineSource} is no sound geometry (${why})`, {
      file: name,
      field: affineSource,
      cause,
    });
  }
}

function qformOf(raw: NIFTI1 | NIFTI2): Qform {
  const [x, y, z] = [1, 2, 3].map((axis) => Math.abs(raw.pixDims[axis]));
  return {
    b: raw.quatern_b,
    c: raw.quatern_c,
    d: raw.quatern_d,
    qfac: raw.pixDims[0] === -1 ? -1 : 1,
    spacing: [x, y, z],
    offset: [raw.qoffset_x, raw.qoffset_y, raw.qoffset_z],
  };
}

/** nibabel's `get_base_affine`: x to the left, origin at the centre. */
function spacingAffine(pixDims: readonly number[], dims: readonly number[]): Affine {
  const [x, y, z] = [-Math.abs(pixDims[1]), Math.abs(pixDims[2]), Math.abs(pixDims[3])];
  const at = (step: number, size: number) => (-step * (size - 1)) / 2;
  return [x, 0, 0, at(x, dims[0]), 0, y, 0, at(y, dims[1]), 0, 0, z, at(z, dims[2]), 0, 0, 0, 1];
}

/** xyzt_units: 1 metres, 2 mm, 3 micrometres. The standard and ITK scale by it (nibabel leaves it to the caller). */
function inMillimetres(affine: Affine, units: number): Affine {
  const factor = { 1: 1000, 3: 0.001 }[units & 7] ?? 1;
  return factor === 1 ? affine : affine.map((value, index) => (index < 12 ? value * factor : value));
}
