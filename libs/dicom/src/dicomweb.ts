/**
 * A DICOMweb client: QIDO-RS searches, WADO-RS metadata and retrieval (PS3.18). It tries once; retrying is the caller's.
 * The fetch is handed in, so that the service decides which servers may be asked.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EngramError, isEngramError } from '@engram/errors';
import { attributesOfJson, first } from './attributes.ts';
import { boundaryOf, type MultipartLimits, readMultipart } from './multipart.ts';
import { isDicom, readDataset } from './read-dataset.ts';
import { sanitisePreamble } from './sanitise-preamble.ts';
import { type Tag, tags } from './tags.ts';

/** The part of a Response that is used. */
export interface FetchResponse {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  readonly body: AsyncIterable<Uint8Array> | null;
}

export interface FetchRequest {
  readonly method: 'GET';
  readonly headers: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** For fetches that keep their own limits: the whole answer. */
  readonly maxBytes: number;
  readonly timeoutMs: number;
}

/** `fetch` itself, or the guarded one of libs/http. */
export type FetchLike = (url: string, init: FetchRequest) => Promise<FetchResponse>;

export interface DicomWebLimits extends MultipartLimits {
  readonly maxJsonBytes: number;
  /** Matches of one search, all pages together. */
  readonly maxMatches: number;
}

export const DICOMWEB_LIMITS: DicomWebLimits = {
  maxPartBytes: 2 ** 30,
  maxTotalBytes: 2 ** 32,
  maxJsonBytes: 2 ** 28,
  maxMatches: 20_000,
};

export interface DicomWebOptions {
  /** Base URL, such as `https://pacs.example/dicom-web`. */
  readonly base: string;
  readonly fetch: FetchLike;
  /** Sent with every request: authorisation. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly limits?: Partial<DicomWebLimits>;
  /** One whole request. Default 10 minutes. */
  readonly timeoutMs?: number;
}

/** One object of the DICOM JSON model; `factsOfMetadata` reads it. */
export type DicomJson = Readonly<Record<string, unknown>>;

export interface Retrieved {
  readonly sopUid: string;
  /** A DICOM file, its preamble zeroed. */
  readonly bytes: Uint8Array;
}

interface CallOptions {
  readonly signal?: AbortSignal;
}

export interface DicomWeb {
  /** QIDO-RS; keys are attribute keywords such as `StudyDate`. */
  searchStudies(query: Readonly<Record<string, string>>, options?: CallOptions): Promise<readonly DicomJson[]>;
  searchSeries(studyUid: string, options?: CallOptions): Promise<readonly DicomJson[]>;
  searchInstances(studyUid: string, seriesUid: string, options?: CallOptions): Promise<readonly DicomJson[]>;
  /** All attributes but the pixels of a study's or series' instances. */
  metadata(studyUid: string, seriesUid?: string, options?: CallOptions): Promise<readonly DicomJson[]>;
  /** The files of a series as they arrive. */
  retrieveSeries(studyUid: string, seriesUid: string, options?: CallOptions): AsyncGenerator<Retrieved>;
  /** Writes the files of a series as `{SOPInstanceUID}.dcm`. */
  downloadSeries(
    studyUid: string,
    seriesUid: string,
    folder: string,
    options?: CallOptions,
  ): Promise<{ readonly files: readonly string[]; readonly bytes: number }>;
}

const PAGE = 500;
const DICOM_PARTS = 'multipart/related; type="application/dicom"; transfer-syntax=*';

/**
 * Every call throws UPSTREAM_FAILED when the server fails, refuses or answers nonsense; NOT_FOUND for 404;
 * FILE_TOO_LARGE beyond a limit; REQUEST_INVALID for what is no UID; and what the fetch throws with a code of its own.
 */
export function createDicomWeb(options: DicomWebOptions): DicomWeb {
  const limits = { ...DICOMWEB_LIMITS, ...options.limits };
  const base = options.base.replace(/\/+$/, '');

  async function get(path: string, accept: string, what: string, call: CallOptions): Promise<FetchResponse> {
    let response: FetchResponse;
    try {
      response = await options.fetch(`${base}${path}`, {
        method: 'GET',
        headers: { ...options.headers, accept },
        maxBytes: Math.max(limits.maxTotalBytes, limits.maxJsonBytes),
        timeoutMs: options.timeoutMs ?? 600_000,
        ...(call.signal && { signal: call.signal }),
      });
    } catch (cause) {
      throw wrapped(cause, what, call);
    }
    if (response.status === 200 || response.status === 206 || response.status === 204) return response;
    await discard(response);
    if (response.status === 404) throw new EngramError('NOT_FOUND', `The DICOMweb server has no such ${what}`);
    throw new EngramError('UPSTREAM_FAILED', `The DICOMweb server answered ${response.status} to the ${what}`);
  }

  async function json(path: string, what: string, call: CallOptions): Promise<readonly DicomJson[]> {
    const response = await get(path, 'application/dicom+json', what, call);
    if (response.status === 204 || response.body === null) {
      await discard(response);
      return [];
    }
    const parts: Uint8Array[] = [];
    let size = 0;
    try {
      for await (const chunk of response.body) {
        size += chunk.length;
        if (size > limits.maxJsonBytes) {
          throw new EngramError('FILE_TOO_LARGE', `The ${what} is larger than ${limits.maxJsonBytes} bytes`);
        }
        parts.push(chunk);
      }
    } catch (cause) {
      throw wrapped(cause, what, call);
    }
    const text = Buffer.concat(parts).toString('utf8');
    // Some servers answer a search without matches with 200 and nothing.
    return text.trim() === '' ? [] : objectsOf(text, what);
  }

  async function search(
    path: string,
    query: Readonly<Record<string, string>>,
    key: Tag,
    what: string,
    call: CallOptions,
  ) {
    const found = new Map<string, DicomJson>();
    for (let offset = 0; ; offset += PAGE) {
      const parameters = new URLSearchParams({ ...query, limit: String(PAGE), offset: String(offset) });
      const page = await json(`${path}?${parameters}`, what, call);
      const before = found.size;
      for (const match of page) found.set(first(attributesOfJson(match).strings(key)) ?? `${found.size}`, match);
      if (found.size > limits.maxMatches) {
        throw new EngramError('FILE_TOO_LARGE', `The ${what} has more than ${limits.maxMatches} matches`);
      }
      // A server that ignores `offset` repeats itself: nothing new ends the search too.
      if (page.length < PAGE || found.size === before) return [...found.values()];
    }
  }

  async function* retrieveSeries(
    studyUid: string,
    seriesUid: string,
    call: CallOptions = {},
  ): AsyncGenerator<Retrieved> {
    const what = 'retrieval of the series';
    const response = await get(seriesPath(studyUid, seriesUid), DICOM_PARTS, what, call);
    if (response.status === 204 || response.body === null) return;
    const type = response.headers.get('content-type') ?? '';
    const boundary = boundaryOf(type);
    if (boundary === undefined && !/^\s*application\/dicom\s*(;|$)/i.test(type)) {
      await discard(response);
      throw new EngramError('UPSTREAM_FAILED', `The DICOMweb server answered the ${what} with no DICOM parts`);
    }
    try {
      const parts =
        boundary === undefined ? whole(response.body, limits) : readMultipart(response.body, boundary, limits);
      for await (const { body } of parts) {
        call.signal?.throwIfAborted();
        yield retrieved(body, seriesUid);
      }
    } catch (cause) {
      throw wrapped(cause, what, call);
    }
  }

  return {
    searchStudies: async (query, call = {}) =>
      search('/studies', query, tags.StudyInstanceUID, 'search for studies', call),
    searchSeries: async (studyUid, call = {}) =>
      search(`${studyPath(studyUid)}/series`, {}, tags.SeriesInstanceUID, 'search for series', call),
    searchInstances: async (studyUid, seriesUid, call = {}) =>
      search(`${seriesPath(studyUid, seriesUid)}/instances`, {}, tags.SOPInstanceUID, 'search for instances', call),
    metadata: async (studyUid, seriesUid, call = {}) =>
      json(
        `${seriesUid === undefined ? studyPath(studyUid) : seriesPath(studyUid, seriesUid)}/metadata`,
        'metadata',
        call,
      ),
    retrieveSeries,
    downloadSeries: async (studyUid, seriesUid, folder, call = {}) => {
      await mkdir(folder, { recursive: true });
      const files: string[] = [];
      let bytes = 0;
      for await (const instance of retrieveSeries(studyUid, seriesUid, call)) {
        const file = join(folder, `${instance.sopUid}.dcm`);
        await writeFile(file, instance.bytes);
        files.push(file);
        bytes += instance.bytes.length;
      }
      return { files, bytes };
    },
  };
}

const isUid = (value: string): boolean => /^\d[\d.]{0,63}$/.test(value) && !value.includes('..');

/** A UID goes into a path and a file name: digits and dots only. @throws REQUEST_INVALID. */
function uid(value: string, field: string): string {
  if (isUid(value)) return value;
  throw new EngramError('REQUEST_INVALID', `${field} is not a DICOM UID`, { field });
}

const studyPath = (studyUid: string) => `/studies/${uid(studyUid, 'study_uid')}`;
const seriesPath = (studyUid: string, seriesUid: string) =>
  `${studyPath(studyUid)}/series/${uid(seriesUid, 'series_uid')}`;

function retrieved(body: Uint8Array, seriesUid: string): Retrieved {
  if (!isDicom(body)) throw new EngramError('UPSTREAM_FAILED', 'A part of the DICOMweb answer is not a DICOM file');
  const { attributes } = readDataset(body, 'a retrieved instance');
  if (first(attributes.strings(tags.SeriesInstanceUID)) !== seriesUid) {
    throw new EngramError('UPSTREAM_FAILED', 'The DICOMweb server sent an instance of another series');
  }
  const sopUid = first(attributes.strings(tags.SOPInstanceUID)) ?? '';
  if (!isUid(sopUid))
    throw new EngramError('UPSTREAM_FAILED', 'The DICOMweb server sent an instance without a sound UID');
  return { sopUid, bytes: sanitisePreamble(body) };
}

/** Some servers send a single instance without multipart. */
async function* whole(body: AsyncIterable<Uint8Array>, limits: MultipartLimits): AsyncGenerator<{ body: Uint8Array }> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > limits.maxPartBytes) {
      throw new EngramError('FILE_TOO_LARGE', `The DICOMweb part is larger than ${limits.maxPartBytes} bytes`);
    }
    parts.push(chunk);
  }
  yield { body: Buffer.concat(parts) };
}

function objectsOf(text: string, what: string): readonly DicomJson[] {
  const fail = () => new EngramError('UPSTREAM_FAILED', `The DICOMweb server answered the ${what} with no DICOM JSON`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw fail();
  }
  const list: readonly unknown[] = Array.isArray(parsed) ? parsed : [parsed];
  return list.map((one) => {
    if (typeof one !== 'object' || one === null || Array.isArray(one)) throw fail();
    return Object.fromEntries(Object.entries(one));
  });
}

/** An abort stays an abort and a coded error its own; all else is the other server's failure. */
function wrapped(cause: unknown, what: string, { signal }: CallOptions): unknown {
  if (signal?.aborted) return signal.reason;
  if (isEngramError(cause)) return cause;
  return new EngramError('UPSTREAM_FAILED', `The DICOMweb server could not be read during the ${what}`, { cause });
}

/** Reads a refused answer to its end, at most a little, so that its connection can be used again. */
async function discard(response: FetchResponse): Promise<void> {
  if (response.body === null) return;
  let size = 0;
  try {
    for await (const chunk of response.body) {
      size += chunk.length;
      if (size > 65_536) break;
    }
  } catch {
    // The answer is already judged by its status.
  }
}
