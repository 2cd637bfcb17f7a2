/** Voxel bytes of any scalar datatype and byte order to float32, scaling applied in double precision. */
import { endianness } from 'node:os';
import { datatypes } from './nifti-datatype.ts';
import type { NiftiHeader } from './nifti-header.ts';

const NATIVE_LITTLE = endianness() === 'LE';

/** Reverses the bytes of each voxel in place where the file's order is not the machine's. */
function toNativeOrder(bytes: Uint8Array, size: number, littleEndian: boolean): void {
  if (size === 1 || littleEndian === NATIVE_LITTLE) return;
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (size === 2) view.swap16();
  else if (size === 4) view.swap32();
  else view.swap64();
}

/** 64-bit integers to doubles: rounded once, as a C cast does, without a BigInt a voxel. */
function doublesOf64(bytes: Uint8Array, count: number, signed: boolean): Float64Array {
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, count * 2);
  const [low, high] = NATIVE_LITTLE ? [0, 1] : [1, 0];
  const out = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const top = words[2 * i + high];
    out[i] = (signed ? top | 0 : top) * 2 ** 32 + words[2 * i + low];
  }
  return out;
}

function storedValues(bytes: Uint8Array, header: NiftiHeader, count: number): ArrayLike<number> {
  const { buffer, byteOffset } = bytes;
  switch (header.datatype) {
    case 'uint8':
      return bytes;
    case 'int8':
      return new Int8Array(buffer, byteOffset, count);
    case 'int16':
      return new Int16Array(buffer, byteOffset, count);
    case 'uint16':
      return new Uint16Array(buffer, byteOffset, count);
    case 'int32':
      return new Int32Array(buffer, byteOffset, count);
    case 'uint32':
      return new Uint32Array(buffer, byteOffset, count);
    case 'float32':
      return new Float32Array(buffer, byteOffset, count);
    case 'float64':
      return new Float64Array(buffer, byteOffset, count);
    case 'int64':
      return doublesOf64(bytes, count, true);
    case 'uint64':
      return doublesOf64(bytes, count, false);
  }
}

/**
 * Float32 voxels in file order. `bytes` must start at an 8-byte boundary and is changed in place.
 * Values beyond float32's range become infinite: see `firstNotFinite`.
 */
export function decodeVoxels(bytes: Uint8Array, header: NiftiHeader): Float32Array {
  const { bytes: size } = datatypes[header.datatype];
  const count = bytes.length / size;
  toNativeOrder(bytes, size, header.littleEndian);
  const stored = storedValues(bytes, header, count);
  const { scaling } = header;
  if (scaling === undefined) return stored instanceof Float32Array ? stored : new Float32Array(stored);
  const { slope, inter } = scaling;
  const out = stored instanceof Float32Array ? stored : new Float32Array(count);
  for (let i = 0; i < count; i++) out[i] = stored[i] * slope + inter;
  return out;
}

/** Index of the first NaN or infinity; -1 where there is none. */
export function firstNotFinite(data: Float32Array): number {
  let sum = 0;
  // 0 times a finite number is 0: one NaN or infinity makes the sum NaN, and nothing has to be asked of each voxel.
  for (let i = 0; i < data.length; i++) sum += 0 * data[i];
  return sum === 0 ? -1 : data.findIndex((value) => !Number.isFinite(value));
}
