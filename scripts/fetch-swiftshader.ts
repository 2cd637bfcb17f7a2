/**
 * Puts SwiftShader, a Vulkan driver that runs on the processor, into the cache folder: with it the tests of the WebGPU backend
 * run where there is no GPU. From Debian's chromium-common, 32 MB, of which 6 MB are kept; nothing is installed. Unpinned: a
 * browser's package is replaced with every security update, and apt checks the signature of whichever it is.
 */
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { appearWhole, fetchDebianPackages, unpackDebianPackage } from '@engram/cache';
import { SWIFTSHADER_FILES, swiftshaderFolder } from '@engram/testing';

const target = swiftshaderFolder();
await appearWhole(target, async (folder, work) => {
  const onProgress = (text: string) => process.stderr.write(`swiftshader: ${text}\n`);
  const [deb = ''] = await fetchDebianPackages([{ name: 'chromium-common' }], { work, onProgress });
  const unpacked = join(work, 'unpacked');
  await unpackDebianPackage(deb, unpacked);
  for (const file of SWIFTSHADER_FILES) await copyFile(join(unpacked, 'usr/lib/chromium', file), join(folder, file));
  await copyFile(join(unpacked, 'usr/share/doc/chromium-common/copyright'), join(folder, 'copyright'));
});
process.stdout.write(`${target}\n`);
