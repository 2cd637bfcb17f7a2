/** Reads NIfTI-1 and NIfTI-2, plain or gzipped, from a file or from memory. */
import { EngramError } from '@engram/errors';
import type { LabelVolume, MaskVolume, Volume } from '@engram/volume';
import { nameOf, type OpenSource, openSource, type Source } from './byte-source.ts';
import { DEFAULT_LIMITS, type Limits } from './limits.ts';
import { datatypes } from './nifti-datatype.ts';
import { HEADER_BYTES, type NiftiHeader, parseNiftiHeader } from './nifti-header.ts';
import { decodeVoxels, firstNotFinite } from './nifti-voxels.ts';

export interface ReadOptions {
  /** What to call the file in messages; its base name by default. */
  readonly name?: string;
  readonly limits?: Partial<Limits>;
}

export interface NiftiImage {
  readonly volume: Volume;
  readonly header: NiftiHeader;
}

/** After the voxels, up to this much is inflated and dropped, so that a gzip checksum behind them is still verified. */
const TRAILING_BYTES = 1 << 20;

/** Deflate cannot do better than this. */
const DEFLATE_RATIO = 1032;

/** The header alone. @throws as `readNifti`, but for the voxels. */
export async function readNiftiHeader(source: Source, options: ReadOptions = {}): Promise<NiftiHeader> {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const opened = await openSource(source, nameOf(source, options.name), limits);
  let head = new Uint8Array(0);
  for await (const chunk of opened.chunks()) {
    head = append(head, chunk);
    if (head.length >= HEADER_BYTES) break;
  }
  return parseNiftiHeader(head, opened.name, limits);
}

/**
 * A scalar image of three dimensions, or four with frames; scaling applied, voxels in file order, RAS mm.
 * Bytes after the voxels are ignored, as nibabel does.
 * @throws FILE_NOT_FOUND, FILE_TOO_LARGE, GZIP_INVALID (broken or a bomb), NIFTI_INVALID, NIFTI_UNSUPPORTED,
 * NIFTI_TRUNCATED, IMAGE_DIMENSIONS, IMAGE_GEOMETRY, IMAGE_NOT_FINITE; each names the file.
 */
export async function readNifti(source: Source, options: ReadOptions = {}): Promise<NiftiImage> {
  const name = nameOf(source, options.name);
  const { header, data } = await readVoxels(source, options);
  if (header.components !== 1) {
    throw new EngramError('IMAGE_DIMENSIONS', `${name}: holds ${header.components} values a voxel, not one`, {
      file: name,
      field: 'dim',
    });
  }
  return { volume: { shape: header.shape, frames: header.frames, affine: header.affine, data }, header };
}

/**
 * A label map: three dimensions, whole numbers from 0 to 65535 in any datatype.
 * @throws as `readNifti`; IMAGE_DIMENSIONS with frames; NIFTI_UNSUPPORTED where a value is no label.
 */
export async function readLabels(
  source: Source,
  options: ReadOptions = {},
): Promise<{ readonly labels: LabelVolume; readonly header: NiftiHeader }> {
  const { volume, header } = await readThreeDimensions(source, options);
  const data = new Uint16Array(volume.data.length);
  for (let i = 0; i < data.length; i++) {
    const value = volume.data[i];
    if (!Number.isInteger(value) || value < 0 || value > 65535) {
      const name = nameOf(source, options.name);
      throw new EngramError('NIFTI_UNSUPPORTED', `${name}: ${value} is no label: labels are whole numbers to 65535`, {
        file: name,
      });
    }
    data[i] = value;
  }
  return { labels: { shape: volume.shape, affine: volume.affine, data }, header };
}

/** A mask: 1 where the image is not zero. @throws as `readNifti`; IMAGE_DIMENSIONS with frames. */
export async function readMask(
  source: Source,
  options: ReadOptions = {},
): Promise<{ readonly mask: MaskVolume; readonly header: NiftiHeader }> {
  const { volume, header } = await readThreeDimensions(source, options);
  const data = new Uint8Array(volume.data.length);
  for (let i = 0; i < data.length; i++) data[i] = volume.data[i] === 0 ? 0 : 1;
  return { mask: { shape: volume.shape, affine: volume.affine, data }, header };
}

async function readThreeDimensions(source: Source, options: ReadOptions): Promise<NiftiImage> {
  const image = await readNifti(source, options);
  if (image.volume.frames !== 1) {
    const name = nameOf(source, options.name);
    throw new EngramError('IMAGE_DIMENSIONS', `${name}: holds ${image.volume.frames} frames where one is expected`, {
      file: name,
      field: 'dim',
    });
  }
  return image;
}

/** Header and all values, of one or more components. */
export async function readVoxels(
  source: Source,
  options: ReadOptions,
): Promise<{ readonly header: NiftiHeader; readonly data: Float32Array }> {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const opened = await openSource(source, nameOf(source, options.name), limits);
  const { header, bytes } = await collect(opened, limits);
  const data = decodeVoxels(bytes, header);
  const bad = firstNotFinite(data);
  if (bad >= 0) {
    const [nx, ny] = header.shape;
    const at = [bad % nx, Math.floor(bad / nx) % ny, Math.floor(bad / (nx * ny))].join(', ');
    throw new EngramError('IMAGE_NOT_FINITE', `${opened.name}: the voxel at ${at} is ${data[bad]}`, {
      file: opened.name,
    });
  }
  return { header, data };
}

async function collect(opened: OpenSource, limits: Limits): Promise<{ header: NiftiHeader; bytes: Uint8Array }> {
  let head = new Uint8Array(0);
  let header: NiftiHeader | undefined;
  let bytes = new Uint8Array(0);
  let seen = 0;
  for await (const chunk of opened.chunks()) {
    let start = seen;
    let part = chunk;
    seen += chunk.length;
    if (header === undefined) {
      head = append(head, chunk);
      if (head.length < HEADER_BYTES) continue;
      header = parseNiftiHeader(head, opened.name, limits);
      bytes = new Uint8Array(checkedLength(header, opened, limits));
      [start, part] = [0, head];
    }
    const from = Math.max(0, header.voxOffset - start);
    const to = Math.min(part.length, header.voxOffset + bytes.length - start);
    if (from < to) bytes.set(part.subarray(from, to), start + from - header.voxOffset);
    if (seen > header.voxOffset + bytes.length + TRAILING_BYTES) break;
  }
  // A file shorter than the longest header may still be a whole NIfTI-1 image of a few voxels.
  if (header === undefined) {
    header = parseNiftiHeader(head, opened.name, limits);
    bytes = new Uint8Array(checkedLength(header, opened, limits));
    bytes.set(head.subarray(header.voxOffset, header.voxOffset + bytes.length));
  }
  if (seen < header.voxOffset + bytes.length) throw truncated(opened.name, seen - header.voxOffset, bytes.length);
  return { header, bytes };
}

function truncated(name: string, have: number, need: number): EngramError {
  return new EngramError('NIFTI_TRUNCATED', `${name}: holds ${Math.max(0, have)} of ${need} bytes of voxels`, {
    file: name,
  });
}

/** Bytes of all voxels, once the stored size makes them possible and plausible: nothing is inflated or allocated before. */
function checkedLength(header: NiftiHeader, { name, storedBytes, gzip }: OpenSource, limits: Limits): number {
  const length = header.dims.reduce((product, size) => product * size, 1) * datatypes[header.datatype].bytes;
  const total = header.voxOffset + length;
  if (!gzip && storedBytes < total) throw truncated(name, storedBytes - header.voxOffset, length);
  if (gzip && total > storedBytes * DEFLATE_RATIO + 1024) throw truncated(name, 0, length);
  if (gzip && total > limits.ratioFloorBytes && total > storedBytes * limits.maxRatio) {
    const ratio = Math.round(total / storedBytes);
    throw new EngramError('GZIP_INVALID', `${name}: inflates ${ratio} times; the limit is ${limits.maxRatio}`, {
      file: name,
    });
  }
  return length;
}

function append(head: Uint8Array, chunk: Uint8Array): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(head.length + chunk.length);
  out.set(head);
  out.set(chunk, head.length);
  return out;
}
