/** Brings one image of a run onto this machine, from allow-listed places only, and keeps its raw DICOM. */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readdir, readFile, rename, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type ImageSource, type RunInput, rawPrefix } from '@engram/contracts';
import { EngramError, isEngramError } from '@engram/errors';
import { type AllowList, allowedBucket, allowedPath, allowedWebUrl, type Fetch } from '@engram/http';
import { type Objects, openObjects } from '@engram/objects';
import type { LocalInput } from './runner.ts';

type DicomWebSource = Extract<ImageSource, { kind: 'dicomweb' }>;

/** Retrieves every instance of a series, one file each; yields the bytes of each as it comes. */
export type RetrieveSeries = (source: DicomWebSource, signal: AbortSignal) => AsyncIterable<Uint8Array>;

export interface FetchDeps {
  readonly objects: Objects;
  readonly allow: AllowList;
  readonly fetch: Fetch;
  readonly retrieveSeries: RetrieveSeries;
}

const HOUR_MS = 3_600_000;
const MAX_BYTES = 4 * 1024 ** 3;

/**
 * @throws URL_REFUSED off the allow-list; FILE_NOT_FOUND; UPSTREAM_FAILED and DISK_FULL, which pass; OBJECT_CORRUPT when an
 * object is not the one that was asked for; DICOM_INCOMPLETE when fewer instances came than were announced.
 */
export async function fetchInput(
  deps: FetchDeps,
  patientKey: string,
  input: RunInput,
  folder: string,
  signal: AbortSignal,
): Promise<LocalInput> {
  await mkdir(folder, { recursive: true });
  const path = await place(deps, patientKey, input, folder, signal);
  return { role: input.role, path, tracer: input.tracer, studyUid: input.study_uid };
}

async function place(
  deps: FetchDeps,
  patientKey: string,
  input: RunInput,
  folder: string,
  signal: AbortSignal,
): Promise<string> {
  const { source } = input;
  switch (source.kind) {
    case 'dicomweb':
      return series(deps, `${rawPrefix(patientKey, input.study_uid)}${source.series_uid}/`, source, folder, signal);
    case 'object':
      return object(deps.objects, source.key, source.sha256, folder);
    case 'url':
      return url(deps, source.url, `${rawPrefix(patientKey, input.study_uid)}${input.series_uid}/`, folder);
  }
}

/** From `raw/` when all of it is there, else from the PACS and kept there: a second run does not ask the PACS again. */
async function series(
  { objects, allow, retrieveSeries }: FetchDeps,
  prefix: string,
  source: DicomWebSource,
  folder: string,
  signal: AbortSignal,
): Promise<string> {
  allowedWebUrl(source.base, allow);
  const kept = await keysBelow(objects, prefix);
  if (source.instances > 0 && kept.length === source.instances) {
    for (const key of kept) await objects.download(key, join(folder, basename(key)));
    return folder;
  }
  let count = 0;
  for await (const bytes of retrieveSeries(source, signal)) {
    await keepRaw(objects, prefix, bytes, folder);
    count++;
  }
  if (count === 0 || count < source.instances) {
    throw new EngramError('UPSTREAM_FAILED', `the PACS sent ${count} of ${source.instances} announced instances`, {
      field: 'series_uid',
    });
  }
  return folder;
}

async function keysBelow(objects: Objects, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  let cursor: string | null | undefined;
  do {
    const page = await objects.list(prefix, { limit: 1000, ...(cursor ? { cursor } : {}) });
    keys.push(...page.objects.map((info) => info.key));
    cursor = page.next;
  } while (cursor);
  return keys;
}

/** Named by content: a file's own name may hold a patient's. */
async function keepRaw(objects: Objects, prefix: string, bytes: Uint8Array, folder: string): Promise<void> {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const key = `${prefix}${sha256}.dcm`;
  try {
    await objects.put(key, bytes, { ifAbsent: true, sha256, contentType: 'application/dicom' });
  } catch (error) {
    if (!isEngramError(error, 'OBJECT_EXISTS')) throw error;
  }
  await objects.download(key, join(folder, `${sha256}.dcm`));
}

async function object(objects: Objects, key: string, sha256: string, folder: string): Promise<string> {
  const file = join(folder, basename(key));
  const info = await objects.download(key, file);
  if (info.sha256 !== sha256) {
    throw new EngramError('OBJECT_CORRUPT', `${basename(key)} is not the object that was asked for`, {
      file: basename(key),
    });
  }
  return file;
}

async function url(deps: FetchDeps, address: string, rawKeys: string, folder: string): Promise<string> {
  if (address.startsWith('file:')) {
    const path = await allowedPath(address, deps.allow);
    if ((await stat(path)).isDirectory()) {
      for (const entry of await readdir(path, { withFileTypes: true, recursive: true })) {
        if (entry.isFile())
          await keepRaw(deps.objects, rawKeys, await readFile(join(entry.parentPath, entry.name)), folder);
      }
      return folder;
    }
    return path;
  }
  if (address.startsWith('s3:')) {
    const { bucket, key } = allowedBucket(address, deps.allow);
    const remote = await openObjects(`s3://${bucket}`);
    try {
      const file = join(folder, imageName(key));
      await remote.download(key, file);
      return file;
    } finally {
      await remote.close();
    }
  }
  return download(deps, address, folder);
}

async function download({ allow, fetch }: FetchDeps, address: string, folder: string): Promise<string> {
  const { host, pathname } = allowedWebUrl(address, allow);
  const response = await fetch(address, { timeoutMs: HOUR_MS, maxBytes: MAX_BYTES });
  if (!response.ok || !response.body) {
    await response.body?.cancel();
    const code = response.status >= 500 || response.status === 429 ? 'UPSTREAM_FAILED' : 'FILE_NOT_FOUND';
    throw new EngramError(code, `${host} answered ${response.status} for an image`, { field: 'url' });
  }
  const file = join(folder, imageName(pathname));
  await pipeline(Readable.fromWeb(response.body), createWriteStream(`${file}.part`));
  await rename(`${file}.part`, file);
  return file;
}

/** Only the ending of a remote name is kept: it says the format, the rest may name a patient. */
function imageName(path: string): string {
  const ending = /\.(nii\.gz|nii|dcm)$/i.exec(path)?.[0].toLowerCase();
  if (!ending) {
    throw new EngramError('FILE_NOT_FOUND', 'an image address ends in .nii, .nii.gz or .dcm', { field: 'url' });
  }
  return `image${ending}`;
}
