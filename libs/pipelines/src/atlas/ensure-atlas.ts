/** Makes sure that an atlas lies on this machine, checked against its hashes. */
import { access, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheDir as defaultCacheDir, fileSha256 } from '@engram/cache';
import { EngramError } from '@engram/errors';
import { digestOf } from '../canonical-json.ts';
import { COLIN27_AAL, fetchDebianAtlas } from './debian-package.ts';
import { type AtlasManifest, MANIFEST_NAME, readManifest } from './manifest.ts';

export interface AtlasFolder {
  readonly dir: string;
  readonly manifest: AtlasManifest;
  /** Of the manifest's canonical JSON: names every byte of the atlas. */
  readonly sha256: string;
}

export interface EnsureAtlasOptions {
  /** A folder with `atlas.json`; the default atlas is fetched without it. */
  readonly dir?: string;
  /** `$ENGRAM_CACHE_DIR`, else `$XDG_CACHE_HOME/engram`, else `~/.cache/engram`. */
  readonly cacheDir?: string;
  readonly onProgress?: (text: string) => void;
}

/** @throws ATLAS_UNAVAILABLE when it can be neither found nor fetched, or a file does not match its hash. */
export async function ensureAtlas(options: EnsureAtlasOptions = {}): Promise<AtlasFolder> {
  const { onProgress = () => {} } = options;
  if (options.dir !== undefined) {
    const manifest = await readManifest(options.dir);
    await verify(options.dir, manifest);
    return { dir: options.dir, manifest, sha256: digestOf(manifest) };
  }
  const cacheDir = options.cacheDir ?? defaultCacheDir();
  const dir = join(cacheDir, 'atlas', COLIN27_AAL.version);
  const folder: AtlasFolder = { dir, manifest: COLIN27_AAL, sha256: digestOf(COLIN27_AAL) };
  if (await exists(join(dir, MANIFEST_NAME))) {
    try {
      await verify(dir, COLIN27_AAL, cacheDir);
      return folder;
    } catch (error) {
      if (!(error instanceof EngramError)) throw error;
      onProgress('atlas: the cached copy is damaged and is fetched again');
    }
  }
  await fetchDebianAtlas(dir, onProgress);
  await verify(dir, COLIN27_AAL, cacheDir);
  onProgress('atlas: ready');
  return folder;
}

/** With `cacheDir` a stamp of sizes and times remembers a good check, so that the next start reads no 5 MB again. */
async function verify(dir: string, manifest: AtlasManifest, cacheDir?: string): Promise<void> {
  const files = [manifest.t1, manifest.brain, manifest.labels];
  const stampFile = join(dir, '.verified');
  const stamp = digestOf({ files, seen: await Promise.all(files.map(({ file }) => footprint(join(dir, file)))) });
  if (cacheDir !== undefined && (await readFile(stampFile, 'utf8').catch(() => '')) === stamp) return;
  for (const { file, sha256 } of files) {
    const found = await fileSha256(join(dir, file)).catch(() => undefined);
    if (found === sha256) continue;
    const what = found === undefined ? 'is not in the atlas folder' : `does not match its sha256 in ${MANIFEST_NAME}`;
    throw new EngramError('ATLAS_UNAVAILABLE', `${file} ${what}`, { file });
  }
  if (cacheDir !== undefined) await writeFile(stampFile, stamp);
}

async function footprint(path: string): Promise<unknown> {
  const { size, mtimeMs } = await stat(path).catch(() => ({ size: -1, mtimeMs: -1 }));
  return [size, mtimeMs];
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
