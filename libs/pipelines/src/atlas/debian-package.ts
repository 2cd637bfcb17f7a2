/**
 * Colin27 (`ch2`) and AAL from Debian's mricron-data package. apt-get works on state and cache folders of our own, so it
 * needs no root and changes nothing on the system; the package's hash is pinned.
 *
 * Terms: Colin27, Holmes et al. 1998, (c) 1993-2009 Louis Collins, McConnell Brain Imaging Centre, MNI, McGill: use and
 * copying with this notice. AAL, Tzourio-Mazoyer et al. 2002. See /usr/share/doc/mricron-data/copyright in the package.
 */
import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { EngramError } from '@engram/errors';
import { fileSha256 } from '../file-sha256.ts';
import { type AtlasManifest, MANIFEST_NAME } from './manifest.ts';

const PACKAGE = 'mricron-data';
const VERSION = '1.2.20211006+dfsg-4';
const DEB_SHA256 = 'd40aa0ed66cf89bf6cafa049ad3884703c9d975c2ee2737525b7196528df9d6f';
const TEMPLATES = 'usr/share/mricron/templates';
const TIMEOUT_MS = 300_000;

export const COLIN27_AAL: AtlasManifest = {
  schema: 'engram/atlas/1',
  name: 'colin27-aal',
  version: `${PACKAGE}-${VERSION}`,
  source: 'Colin27: Holmes et al. 1998; AAL: Tzourio-Mazoyer et al. 2002; both from Debian mricron-data',
  licence: 'see usr/share/doc/mricron-data/copyright of the package',
  t1: { file: 'ch2.nii.gz', sha256: 'a009051127f64dc3dd554d5f5b589870ea72106d9642c21b4e7093e478cfc309' },
  brain: { file: 'ch2bet.nii.gz', sha256: '592a2d20abdf36eefcb540ca8958428040edffc1bc1a18ba1dcfbabac77c5dd1' },
  labels: { file: 'aal.nii.gz', sha256: 'b512dcd3f36b77f56be7a9a038134096e66314b7e8c31d25875b96bcf6991454' },
};

const run = promisify(execFile);

/**
 * Fetches, checks and unpacks the package into `target`, which appears whole or not at all.
 * @throws ATLAS_UNAVAILABLE with what to do instead.
 */
export async function fetchDebianAtlas(target: string, onProgress: (text: string) => void): Promise<void> {
  await mkdir(join(target, '..'), { recursive: true });
  const work = await mkdtemp(`${target}.part-`);
  try {
    const deb = await download(work, onProgress);
    const unpacked = join(work, 'unpacked');
    await command('dpkg-deb', ['-x', deb, unpacked], work);
    const ready = join(work, 'ready');
    await mkdir(ready);
    for (const { file } of [COLIN27_AAL.t1, COLIN27_AAL.brain, COLIN27_AAL.labels])
      await copyFile(join(unpacked, TEMPLATES, file), join(ready, file));
    await copyFile(join(unpacked, 'usr/share/doc', PACKAGE, 'copyright'), join(ready, 'copyright'));
    await writeFile(join(ready, MANIFEST_NAME), `${JSON.stringify(COLIN27_AAL, null, 2)}\n`);
    await rm(target, { recursive: true, force: true });
    await rename(ready, target).catch((error: NodeJS.ErrnoException) => {
      // Another process was faster: its copy is checked like ours.
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function download(work: string, onProgress: (text: string) => void): Promise<string> {
  for (const folder of ['state', 'lists/partial', 'cache/archives/partial', 'deb'])
    await mkdir(join(work, folder), { recursive: true });
  const options = [
    `Dir::State=${join(work, 'state')}`,
    `Dir::State::Lists=${join(work, 'lists')}`,
    'Dir::State::status=/var/lib/dpkg/status',
    `Dir::Cache=${join(work, 'cache')}`,
    `APT::Sandbox::User=${userInfo().username}`,
    // Only package names and hashes are needed: no translations, icons or contents.
    'Acquire::Languages=none',
    'Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false',
    'Acquire::Retries=3',
  ].flatMap((option) => ['-o', option]);
  onProgress('atlas: reading the Debian package lists');
  await command('apt-get', [...options, '-qq', 'update'], work);
  onProgress(`atlas: downloading ${PACKAGE} ${VERSION} (16 MB)`);
  const folder = join(work, 'deb');
  await command('apt-get', [...options, '-qq', 'download', `${PACKAGE}=${VERSION}`], folder);
  const [name] = (await readdir(folder)).filter((entry) => entry.endsWith('.deb'));
  if (name === undefined) throw unavailable('apt-get downloaded no package');
  const deb = join(folder, name);
  if ((await fileSha256(deb)) !== DEB_SHA256)
    throw unavailable('the downloaded package does not match its pinned sha256');
  return deb;
}

async function command(program: string, args: readonly string[], cwd: string): Promise<void> {
  try {
    await run(program, args, { cwd, timeout: TIMEOUT_MS, env: { ...process.env, LC_ALL: 'C' } });
  } catch (cause) {
    const missing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    const detail = cause instanceof Error && 'stderr' in cause ? firstError(String(cause.stderr)) : '';
    throw unavailable(missing ? `${program} is not installed here` : `${program} failed${detail}`, cause);
  }
}

const firstError = (stderr: string): string => {
  const line = stderr.split('\n').find((entry) => /^[EW]:/.test(entry));
  return line === undefined ? '' : ` (${line.slice(0, 200)})`;
};

const unavailable = (what: string, cause?: unknown): EngramError =>
  new EngramError(
    'ATLAS_UNAVAILABLE',
    `${what}. On a Debian or Ubuntu machine with network, try again; elsewhere unpack mricron-data ${VERSION} and name its ` +
      'folder with --atlas DIR (a folder with atlas.json).',
    cause === undefined ? {} : { cause },
  );
