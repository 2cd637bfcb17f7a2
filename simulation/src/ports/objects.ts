/** The objects port in memory. Local files that a process names lie in memory too: `files`, by path. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { EngramError } from '@engram/errors';
import { type Body, checkKey, type ObjectInfo, type Objects, type PutOptions } from '@engram/objects';
import type { Invoke } from '../life.ts';

interface Stored {
  readonly info: ObjectInfo;
  readonly bytes: Uint8Array;
}

export class ObjectsState {
  readonly objects = new Map<string, Stored>();
  readonly files = new Map<string, Uint8Array>();
  readonly now: () => number;

  constructor(now: () => number) {
    this.now = now;
  }
}

export const sha256Of = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');

export function openMemoryObjects(state: ObjectsState, invoke: Invoke): Objects {
  const { objects, files } = state;
  const call = <R>(verb: string, key: string, work: () => R): Promise<R> => invoke(`objects ${verb} ${key}`, work);

  function need(key: string): Stored {
    const stored = objects.get(checkKey(key));
    if (stored) return stored;
    throw new EngramError('OBJECT_NOT_FOUND', `there is no object ${key}`, { file: key });
  }

  function store(key: string, bytes: Uint8Array, contentType: string): ObjectInfo {
    const modified = new Date(state.now()).toISOString();
    const info: ObjectInfo = { key, bytes: bytes.length, sha256: sha256Of(bytes), contentType, modified };
    objects.set(key, { info, bytes });
    return info;
  }

  function bytesOf(body: Body): Uint8Array {
    if (body instanceof Uint8Array) return body;
    const bytes = 'file' in body ? files.get(body.file) : undefined;
    if (bytes) return bytes;
    throw new EngramError('FILE_NOT_FOUND', 'the simulation puts bytes and its own files only');
  }

  const below = (prefix: string): readonly ObjectInfo[] =>
    [...objects.values()]
      .map(({ info }) => info)
      .filter(({ key }) => key.startsWith(prefix))
      .sort((a, b) => (a.key < b.key ? -1 : 1));

  return {
    put: (key, body, options: PutOptions = {}) =>
      call('put', key, () => {
        checkKey(key);
        const bytes = bytesOf(body);
        if (options.sha256 !== undefined && sha256Of(bytes) !== options.sha256) {
          throw new EngramError('OBJECT_CORRUPT', `what arrived for ${key} does not match its sha256`, { file: key });
        }
        if (options.ifAbsent && objects.has(key)) {
          throw new EngramError('OBJECT_EXISTS', `the object ${key} exists`, { file: key });
        }
        return store(key, bytes, options.contentType ?? 'application/octet-stream');
      }),
    get: (key) => call('get', key, () => need(key).bytes),
    stream: (key, { start = 0, end } = { start: 0 }) =>
      call('stream', key, () =>
        Readable.from([need(key).bytes.subarray(start, end === undefined ? undefined : end + 1)]),
      ),
    download: (key, file) =>
      call('download', key, () => {
        const { info, bytes } = need(key);
        files.set(file, bytes);
        return info;
      }),
    head: (key) => call('head', key, () => objects.get(checkKey(key))?.info),
    list: (prefix, { limit = 1000, cursor } = {}) =>
      call('list', prefix, () => {
        const found = below(prefix).filter(({ key }) => cursor === undefined || key > cursor);
        const shown = found.slice(0, limit);
        return { objects: shown, next: found.length > limit ? (shown.at(-1)?.key ?? null) : null };
      }),
    copy: (from, to) =>
      call('copy', `${from} ${to}`, () => {
        const { bytes, info } = need(from);
        return store(checkKey(to), bytes, info.contentType);
      }),
    remove: (key) => call('remove', key, () => void objects.delete(checkKey(key))),
    presign: async () => {
      throw new EngramError('REQUEST_INVALID', 'the simulation gives out no links');
    },
    usage: (prefix) =>
      call('usage', prefix, () => {
        const found = below(prefix);
        return { objects: found.length, bytes: found.reduce((sum, { bytes }) => sum + bytes, 0) };
      }),
    async close() {},
  };
}
