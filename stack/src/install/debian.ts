/** Programs from Debian packages, unpacked and run from there. */
import { join } from 'node:path';
import { type DebianRequest, fetchDebianPackages, unpackDebianPackage } from '@engram/cache';
import type { InstallFolders, Progress } from '../server.ts';

/** Unpacks the packages, and what they need beyond this machine's own, into `root/`. @throws PACKAGE_UNAVAILABLE */
export async function fetchPrograms(
  packages: readonly DebianRequest[],
  { folder, work }: InstallFolders,
  onProgress: Progress,
): Promise<void> {
  const files = await fetchDebianPackages(packages, { work, withDependencies: true, onProgress });
  for (const file of files) await unpackDebianPackage(file, join(folder, 'root'));
}
