/** The folder adapter: see layout.ts for the files and write.ts for why no reader ever sees a part of an object. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { link, mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Readable, Transform } from 'node:stream';
import { EngramError } from '@engram/errors';
import { checkKey, checkPrefix } from '../key.ts';
import type { ObjectInfo, Objects, PutOptions } from '../port.ts';
import { corrupt, exists, mismatch, notFound, outside } from '../refusals.ts';
import { signedUrl } from '../signed-url.ts';
import { coded, errno, streamToFile, temporaryFile, writeTemporary } from '../temporary-file.ts';
import { layout } from './layout.ts';
import { walkKeys } from './walk.ts';
import { placeText, syncFolder } from './write.ts';

export interface FolderOptions {
  readonly root: string;
  /** Where the service that mounts `objectsPlugin` answers, such as `http://127.0.0.1:7013/objects`. */
  readonly publicUrl?: string | undefined;
  readonly secret?: string | undefined;
  readonly now?: () => number;
}

type Meta = Omit<ObjectInfo, 'key'>;

const DAY_MS = 86_400_000;
const MAX_PAGE = 1000;

export async function openFolderObjects({ root, publicUrl, secret, now = Date.now }: FolderOptions): Promise<Objects> {
  const at = layout(root);
  await mkdir(at.temporary, { recursive: true });
  await mkdir(at.metaRoot, { recursive: true });
  await sweep(at.temporary, now() - DAY_MS);

  async function head(key: string): Promise<ObjectInfo | undefined> {
    try {
      const meta: Meta = JSON.parse(await readFile(at.meta(checkKey(key)), 'utf8'));
      return { key, ...meta };
    } catch (error) {
      if (errno(error) === 'ENOENT' || errno(error) === 'ENOTDIR') return undefined;
      throw error;
    }
  }

  async function known(key: string): Promise<ObjectInfo> {
    const info = await head(key);
    if (!info) throw notFound(key);
    return info;
  }

  /** Makes `.blobs/<sha256>` exist with these bytes; the temporary file keeps them alive until the object is in place. */
  async function placeBlob(file: string, sha256: string): Promise<void> {
    const blob = at.blob(sha256);
    await mkdir(dirname(blob), { recursive: true });
    try {
      await link(file, blob);
      await syncFolder(dirname(blob));
    } catch (error) {
      if (errno(error) !== 'EEXIST') throw coded(error);
    }
  }

  async function place(info: ObjectInfo, file: string, exclusive: boolean): Promise<ObjectInfo> {
    const before = exclusive ? undefined : await head(info.key);
    await placeBlob(file, info.sha256);
    const { key, ...meta } = info;
    try {
      await placeText(at.temporary, at.meta(key), JSON.stringify(meta), exclusive);
    } catch (error) {
      if (errno(error) !== 'EEXIST') throw error;
      throw exists(key, error);
    }
    await placeView(info);
    // A remover of the last other key with these bytes may have unlinked the blob between the two steps above.
    await placeBlob(file, info.sha256);
    if (before && before.sha256 !== info.sha256) await dropBlob(before.sha256);
    return info;
  }

  async function placeView({ key, sha256 }: ObjectInfo): Promise<void> {
    const view = at.view(key);
    const file = temporaryFile(at.temporary);
    await mkdir(dirname(view), { recursive: true });
    await link(at.blob(sha256), file);
    // rename(2) of two names of one file does nothing and leaves both, hence the rm.
    await rename(file, view).finally(() => rm(file, { force: true }));
  }

  /** A blob whose only name is its own has no key left. */
  async function dropBlob(sha256: string): Promise<void> {
    const blob = at.blob(sha256);
    const links = await stat(blob).then(
      (found) => found.nlink,
      () => 0,
    );
    if (links === 1) await rm(blob, { force: true });
  }

  async function readBytes(key: string): Promise<{ info: ObjectInfo; bytes: Buffer }> {
    for (let attempt = 1; ; attempt++) {
      const info = await known(key);
      try {
        return { info, bytes: await readFile(at.blob(info.sha256)) };
      } catch (error) {
        // Overwritten between the two reads: the second look finds the new bytes.
        if (errno(error) !== 'ENOENT' || attempt === 3) throw corrupt(key, error);
      }
    }
  }

  async function openWhole(key: string): Promise<{ info: ObjectInfo; stream: Readable }> {
    const info = await known(key);
    const hash = createHash('sha256');
    const check = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        hash.update(chunk);
        done(null, chunk);
      },
      flush(done) {
        done(hash.digest('hex') === info.sha256 ? null : corrupt(key));
      },
    });
    const source = createReadStream(at.blob(info.sha256));
    source.on('error', (error) => check.destroy(corrupt(key, error)));
    check.on('close', () => source.destroy());
    return { info, stream: source.pipe(check) };
  }

  return {
    head,

    async put(key, body, options: PutOptions = {}) {
      checkKey(key);
      const written = await writeTemporary(at.temporary, body);
      try {
        if (options.sha256 !== undefined && options.sha256 !== written.sha256) {
          throw mismatch(key);
        }
        const { bytes, sha256 } = written;
        const contentType = options.contentType ?? 'application/octet-stream';
        const info = { key, bytes, sha256, contentType, modified: new Date(now()).toISOString() };
        return await place(info, written.file, options.ifAbsent === true);
      } finally {
        await rm(written.file, { force: true });
        // Refused after its bytes were placed: no key names them.
        await dropBlob(written.sha256);
      }
    },

    async get(key) {
      const { info, bytes } = await readBytes(key);
      if (createHash('sha256').update(bytes).digest('hex') !== info.sha256) throw corrupt(key);
      return bytes;
    },

    async stream(key, range) {
      if (!range) return (await openWhole(key)).stream;
      const info = await known(key);
      if (range.start < 0 || range.start >= info.bytes || (range.end ?? range.start) < range.start) {
        throw outside(key);
      }
      const end = Math.min(range.end ?? info.bytes - 1, info.bytes - 1);
      return createReadStream(at.blob(info.sha256), { start: range.start, end });
    },

    async download(key, file) {
      const { info, stream } = await openWhole(key);
      await streamToFile(stream, file);
      return info;
    },

    async list(prefix, { limit = MAX_PAGE, cursor } = {}) {
      checkPrefix(prefix);
      const wanted = Math.min(MAX_PAGE, Math.max(1, limit));
      const objects: ObjectInfo[] = [];
      for await (const key of walkKeys(at.metaRoot, prefix, cursor && checkKey(cursor))) {
        const info = await head(key);
        if (!info) continue;
        if (objects.length === wanted) return { objects, next: objects.at(-1)?.key ?? null };
        objects.push(info);
      }
      return { objects, next: null };
    },

    async copy(from, to) {
      checkKey(to);
      const source = await known(from);
      const file = temporaryFile(at.temporary);
      await link(at.blob(source.sha256), file);
      try {
        return await place({ ...source, key: to, modified: new Date(now()).toISOString() }, file, false);
      } finally {
        await rm(file, { force: true });
      }
    },

    async remove(key) {
      const info = await head(key);
      if (!info) return;
      await rm(at.meta(key), { force: true });
      await rm(at.view(key), { force: true });
      await dropBlob(info.sha256);
    },

    async presign(key, { expiresInSeconds }) {
      await known(key);
      if (!publicUrl || !secret) {
        throw new EngramError(
          'CONFIG_INVALID',
          'presigned URLs need the address and secret of the service that answers',
          {
            field: 'publicUrl',
          },
        );
      }
      return signedUrl(publicUrl, { key, expires: Math.floor(now() / 1000) + expiresInSeconds, secret });
    },

    async usage(prefix) {
      checkPrefix(prefix);
      let objects = 0;
      let bytes = 0;
      for await (const key of walkKeys(at.metaRoot, prefix)) {
        const info = await head(key);
        objects += info ? 1 : 0;
        bytes += info?.bytes ?? 0;
      }
      return { objects, bytes };
    },

    async close() {},
  };
}

async function sweep(folder: string, before: number): Promise<void> {
  for (const name of await readdir(folder)) {
    const file = join(folder, name);
    const found = await stat(file).catch(() => undefined);
    if (found && found.mtimeMs < before) await rm(file, { force: true });
  }
}
