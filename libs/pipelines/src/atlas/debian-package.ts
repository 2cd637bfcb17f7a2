/**
 * Colin27 (`ch2`) and AAL from Debian's mricron-data package. apt-get works on state and cache folders of our own, so it
 * needs no root and changes nothing on the system; the package's hash is pinned.
 *
 * Terms: Colin27, Holmes et al. 1998, (c) 1993-2009 Louis Collins, McConnell Brain Imaging Centre, MNI, McGill: use and
 * copying with this notice. AAL, Tzourio-Mazoyer et al. 2002. See /usr/share/doc/mricron-data/copyright in the package.
 */
import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { appearWhole, fetchDebianPackages, unpackDebianPackage } from '@engram/cache';
import { EngramError, isEngramError } from '@engram/errors';
import { type AtlasManifest, MANIFEST_NAME } from './manifest.ts';

const PACKAGE = 'mricron-data';
const VERSION = '1.2.20211006+dfsg-4';
const DEB_SHA256 = 'd40aa0ed66cf89bf6cafa049ad3884703c9d975c2ee2737525b7196528df9d6f';
const TEMPLATES = 'usr/share/mricron/templates';

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

/**
 * Fetches, checks and unpacks the package into `target`, which appears whole or not at all.
 * @throws ATLAS_UNAVAILABLE with what to do instead.
 */
export async function fetchDebianAtlas(target: string, onProgress: (text: string) => void): Promise<void> {
  try {
    await appearWhole(target, (folder, work) => fillAtlas(folder, work, (text) => onProgress(`atlas: ${text}`)));
  } catch (error) {
    if (isEngramError(error, 'PACKAGE_UNAVAILABLE')) throw unavailable(error);
    throw error;
  }
}

async function fillAtlas(folder: string, work: string, onProgress: (text: string) => void): Promise<void> {
  const wanted = { name: PACKAGE, version: VERSION, sha256: DEB_SHA256 };
  const [deb = ''] = await fetchDebianPackages([wanted], { work, onProgress });
  const unpacked = join(work, 'unpacked');
  await unpackDebianPackage(deb, unpacked);
  for (const { file } of [COLIN27_AAL.t1, COLIN27_AAL.brain, COLIN27_AAL.labels])
    await copyFile(join(unpacked, TEMPLATES, file), join(folder, file));
  await copyFile(join(unpacked, 'usr/share/doc', PACKAGE, 'copyright'), join(folder, 'copyright'));
  await writeFile(join(folder, MANIFEST_NAME), `${JSON.stringify(COLIN27_AAL, null, 2)}\n`);
}

const unavailable = (cause: EngramError): EngramError =>
  new EngramError(
    'ATLAS_UNAVAILABLE',
    `${cause.message}. On a Debian or Ubuntu machine with network, try again; elsewhere unpack mricron-data ${VERSION} and name its ` +
      'folder with --atlas DIR (a folder with atlas.json).',
    { cause },
  );
