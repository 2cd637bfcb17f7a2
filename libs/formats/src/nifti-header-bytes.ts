/** Lays out a NIfTI-1 (352 bytes) or NIfTI-2 (544 bytes) header, little endian, with an empty extension flag. */
import { type Affine, affineToQform, shear } from '@engram/volume';
import { type Datatype, datatypes } from './nifti-datatype.ts';

export interface HeaderFields {
  readonly version: 1 | 2;
  readonly dims: readonly number[];
  readonly datatype: Datatype;
  /** Voxel indices to RAS mm. */
  readonly affine: Affine;
  readonly qformCode: number;
  readonly sformCode: number;
  /** Seconds between frames: pixdim[4]. */
  readonly frameSeconds: number;
  readonly slope: number;
  readonly inter: number;
  readonly intentCode: number;
  readonly intentName: string;
  /** At most 79 bytes of ASCII; never anything about a person. */
  readonly description: string;
}

/** A qform holds no shear: beyond this cosine between axes it would put voxels elsewhere, so its code is left 0. */
const SHEAR_LIMIT = 1e-3;

/** Writes one number after another. */
function cursor(view: DataView) {
  let at = 0;
  const step = (size: number) => {
    at += size;
    return at - size;
  };
  return {
    at: (position: number) => {
      at = position;
    },
    int16: (value: number) => view.setInt16(step(2), value, true),
    int32: (value: number) => view.setInt32(step(4), value, true),
    int64: (value: number) => view.setBigInt64(step(8), BigInt(value), true),
    float32: (value: number) => view.setFloat32(step(4), value, true),
    float64: (value: number) => view.setFloat64(step(8), value, true),
    uint8: (value: number) => view.setUint8(step(1), value),
    text: (value: string, size: number) => {
      const start = step(size);
      const ascii = value.replace(/[^\x20-\x7e]/g, '?').slice(0, size - 1);
      for (let i = 0; i < ascii.length; i++) view.setUint8(start + i, ascii.charCodeAt(i));
    },
  };
}

export function niftiHeaderBytes(fields: HeaderFields): Uint8Array {
  const { version, dims } = fields;
  const length = version === 1 ? 352 : 544;
  const bytes = new Uint8Array(length);
  const write = cursor(new DataView(bytes.buffer));
  const q = affineToQform(fields.affine);
  const qformCode = shear(fields.affine) > SHEAR_LIMIT ? 0 : fields.qformCode;
  const dim = [dims.length, ...dims, ...new Array<number>(7 - dims.length).fill(1)];
  const pixdim = [q.qfac, ...q.spacing, dims.length > 3 ? fields.frameSeconds : 0, 0, 0, 0];
  for (let axis = 5; axis <= dims.length; axis++) pixdim[axis] = 1;
  const units = dims.length > 3 && fields.frameSeconds > 0 ? 2 | 8 : 2;
  const { code, bytes: size } = datatypes[fields.datatype];
  const quaternion = [q.b, q.c, q.d, ...q.offset];
  const srows = fields.affine.slice(0, 12);

  if (version === 1) {
    write.int32(348);
    write.at(40);
    for (const n of dim) write.int16(n);
    write.at(68);
    for (const n of [fields.intentCode, code, size * 8, 0]) write.int16(n);
    for (const n of [...pixdim, length, fields.slope, fields.inter]) write.float32(n);
    write.at(123);
    write.uint8(units);
    write.at(148);
    write.text(fields.description, 80);
    write.at(252);
    write.int16(qformCode);
    write.int16(fields.sformCode);
    for (const n of [...quaternion, ...srows]) write.float32(n);
    write.text(fields.intentName, 16);
    write.text('n+1', 4);
    return bytes;
  }
  write.int32(540);
  write.text('n+2', 4);
  for (const n of [0x0d, 0x0a, 0x1a, 0x0a]) write.uint8(n);
  write.int16(code);
  write.int16(size * 8);
  for (const n of dim) write.int64(n);
  write.at(104);
  for (const n of pixdim) write.float64(n);
  write.int64(length);
  write.float64(fields.slope);
  write.float64(fields.inter);
  write.at(240);
  write.text(fields.description, 80);
  write.at(344);
  write.int32(qformCode);
  write.int32(fields.sformCode);
  for (const n of [...quaternion, ...srows]) write.float64(n);
  write.at(500);
  write.int32(units);
  write.int32(fields.intentCode);
  write.text(fields.intentName, 16);
  return bytes;
}
