/** Every DICOM file below a folder, up to its pixels, grouped by series. */
import { lstat, readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { EngramError, isEngramError } from '@engram/errors';
import { type Instance, instanceOf } from './instance.ts';
import { isDicom, readDataset } from './read-dataset.ts';

export interface DicomFile {
  readonly path: string;
  readonly instance: Instance;
  readonly hasPixels: boolean;
}

export interface DicomSeries {
  readonly uid: string;
  readonly studyUid: string;
  /** By instance number, then by file name. */
  readonly files: readonly DicomFile[];
}

export interface DicomFolder {
  readonly series: readonly DicomSeries[];
  /** DICOM files that cannot be used, each with its code and why. */
  readonly refused: readonly EngramError[];
  /** Base names of files that are no DICOM, and copies of instances already seen. */
  readonly ignored: readonly string[];
}

export interface FolderLimits {
  readonly maxFiles: number;
  readonly maxFileBytes: number;
  readonly maxTotalBytes: number;
  readonly maxDepth: number;
}

export const FOLDER_LIMITS: FolderLimits = {
  maxFiles: 20_000,
  maxFileBytes: 2 ** 30,
  maxTotalBytes: 2 ** 32,
  maxDepth: 8,
};

const DICOMDIR_CLASS = '1.2.840.10008.1.3.10';

/** Files below a folder, without hidden ones and without following links. */
async function walk(folder: string, depth: number, limits: FolderLimits, found: string[]): Promise<void> {
  if (depth > limits.maxDepth) return;
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.name.startsWith('.')) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await walk(path, depth + 1, limits, found);
    else if (entry.isFile()) found.push(path);
    if (found.length > limits.maxFiles) {
      throw new EngramError('FILE_TOO_LARGE', `The folder holds more than ${limits.maxFiles} files`);
    }
  }
}

/** Paths of a folder's files in a fixed order, of one file, or of the list as given. @throws FILE_NOT_FOUND, FILE_TOO_LARGE. */
async function filesOf(source: string | readonly string[], limits: FolderLimits): Promise<readonly string[]> {
  if (typeof source !== 'string') return source;
  try {
    if ((await lstat(source)).isFile()) return [source];
    const found: string[] = [];
    await walk(source, 0, limits, found);
    return found.sort();
  } catch (cause) {
    if (isEngramError(cause)) throw cause;
    const name = basename(source);
    throw new EngramError('FILE_NOT_FOUND', `${name} cannot be opened`, { file: name, cause });
  }
}

/**
 * @param source a folder, a file, or a list of files.
 * @throws FILE_NOT_FOUND, FILE_TOO_LARGE. Single files that are broken do not throw: they are in `refused`.
 */
export async function readDicomHeaders(
  source: string | readonly string[],
  options: { readonly limits?: Partial<FolderLimits>; readonly signal?: AbortSignal | undefined } = {},
): Promise<DicomFolder> {
  const limits = { ...FOLDER_LIMITS, ...options.limits };
  const refused: EngramError[] = [];
  const ignored: string[] = [];
  const bySeries = new Map<string, DicomFile[]>();
  const seen = new Set<string>();
  let total = 0;
  for (const path of await filesOf(source, limits)) {
    options.signal?.throwIfAborted();
    const bytes = await readLimited(path, limits);
    total += bytes.length;
    if (total > limits.maxTotalBytes) {
      throw new EngramError('FILE_TOO_LARGE', `The files hold more than ${limits.maxTotalBytes} bytes`);
    }
    const name = basename(path);
    if (!isDicom(bytes)) {
      ignored.push(name);
      continue;
    }
    try {
      const file = fileOf(bytes, path);
      if (file.instance.sopClass === DICOMDIR_CLASS || seen.has(file.instance.sopUid)) {
        ignored.push(name);
        continue;
      }
      if (file.instance.sopUid !== '') seen.add(file.instance.sopUid);
      const files = bySeries.get(file.instance.seriesUid);
      if (files === undefined) bySeries.set(file.instance.seriesUid, [file]);
      else files.push(file);
    } catch (error) {
      if (!isEngramError(error)) throw error;
      refused.push(error);
    }
  }
  const number = (file: DicomFile) => file.instance.instanceNumber ?? Number.MAX_SAFE_INTEGER;
  const series = [...bySeries].map(([uid, files]) => ({
    uid,
    studyUid: files[0].instance.studyUid,
    files: files.sort((a, b) => number(a) - number(b) || (a.path < b.path ? -1 : 1)),
  }));
  return { series, refused, ignored };
}

async function readLimited(path: string, limits: FolderLimits): Promise<Uint8Array> {
  const name = basename(path);
  try {
    const { size } = await lstat(path);
    if (size > limits.maxFileBytes) {
      throw new EngramError('FILE_TOO_LARGE', `${name}: ${size} bytes; the limit is ${limits.maxFileBytes}`, {
        file: name,
      });
    }
    return await readFile(path);
  } catch (cause) {
    if (isEngramError(cause)) throw cause;
    throw new EngramError('FILE_NOT_FOUND', `${name} cannot be opened`, { file: name, cause });
  }
}

/** @throws DICOM_INVALID, DICOM_TRUNCATED, DICOM_UNSUPPORTED; each names the file. */
function fileOf(bytes: Uint8Array, path: string): DicomFile {
  const name = basename(path);
  const { attributes, transferSyntax, pixels } = readDataset(bytes, name);
  const instance = instanceOf(attributes, name, transferSyntax);
  if (instance.seriesUid === '' && instance.sopClass !== DICOMDIR_CLASS) {
    throw new EngramError('DICOM_INVALID', `${name} names no series (SeriesInstanceUID is absent)`, { file: name });
  }
  if (pixels !== undefined) {
    const { rows, columns, samplesPerPixel, bitsAllocated, frames } = instance;
    const need = (rows * columns * samplesPerPixel * bitsAllocated * frames) / 8;
    const truncated = (have: number, of: number) =>
      new EngramError('DICOM_TRUNCATED', `${name}: holds ${have} of ${of} bytes of pixels`, { file: name });
    const have = bytes.length - pixels.offset;
    if (pixels.length !== undefined) {
      if (have < pixels.length) throw truncated(have, pixels.length);
      if (pixels.length < need) throw truncated(pixels.length, need);
    } else if (!endsWhole(bytes, pixels.offset)) throw truncated(have, need);
  }
  return { path, instance, hasPixels: pixels !== undefined };
}

/** Whether the fragments of encapsulated pixels reach their end mark, or at least the end of the file exactly. */
function endsWhole(bytes: Uint8Array, start: number): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = start;
  while (at + 8 <= bytes.length) {
    const [group, element, length] = [
      view.getUint16(at, true),
      view.getUint16(at + 2, true),
      view.getUint32(at + 4, true),
    ];
    if (group !== 0xfffe) return false;
    if (element === 0xe0dd) return true;
    at += 8 + length;
  }
  return at === bytes.length;
}
