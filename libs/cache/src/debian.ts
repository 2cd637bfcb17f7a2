/**
 * Debian packages without root: apt-get works on state and cache folders of our own and changes nothing on the system. apt
 * checks every package against the distribution's signed lists; `sha256` pins those whose bytes we rely on.
 */
import { mkdir, readdir } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { EngramError } from '@engram/errors';
import { fileSha256 } from './file-sha256.ts';
import { runTool } from './run-tool.ts';

export interface DebianRequest {
  readonly name: string;
  /** The distribution's newest where it is not said. */
  readonly version?: string;
  readonly sha256?: string;
}

export interface DebianOptions {
  /** An empty folder for apt's state; the packages come to lie below it. */
  readonly work: string;
  /** Also what the packages depend on and this machine has not installed; those follow the distribution, unpinned. */
  readonly withDependencies?: boolean;
  readonly onProgress?: (text: string) => void;
}

/** @returns paths of the downloaded packages. @throws PACKAGE_UNAVAILABLE */
export async function fetchDebianPackages(
  packages: readonly DebianRequest[],
  { work, withDependencies = false, onProgress = () => {} }: DebianOptions,
): Promise<string[]> {
  const archives = join(work, 'cache', 'archives');
  for (const folder of ['state', 'lists/partial', 'cache/archives/partial'])
    await mkdir(join(work, folder), { recursive: true });
  const options = aptOptions(work);
  onProgress('reading the Debian package lists');
  await runTool('apt-get', [...options, '-qq', 'update'], { cwd: work });
  const names = packages.map(({ name, version }) => (version === undefined ? name : `${name}=${version}`));
  onProgress(`downloading ${names.join(', ')}`);
  const verb = withDependencies
    ? ['-y', '--no-install-recommends', '--reinstall', '--download-only', 'install']
    : ['download'];
  await runTool('apt-get', [...options, '-qq', ...verb, ...names], { cwd: archives });
  const files = (await readdir(archives)).filter((entry) => entry.endsWith('.deb')).sort();
  for (const wanted of packages) await checkPackage(archives, files, wanted);
  return files.map((file) => join(archives, file));
}

/** Unpacks a package's files into `folder`; none of its scripts runs. @throws PACKAGE_UNAVAILABLE */
export async function unpackDebianPackage(deb: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await runTool('dpkg-deb', ['-x', deb, folder], { cwd: folder });
}

const aptOptions = (work: string): string[] =>
  [
    `Dir::State=${join(work, 'state')}`,
    `Dir::State::Lists=${join(work, 'lists')}`,
    'Dir::State::status=/var/lib/dpkg/status',
    `Dir::Cache=${join(work, 'cache')}`,
    `APT::Sandbox::User=${userInfo().username}`,
    // Nothing is installed, so dpkg's lock is not needed, which only root may take.
    'Debug::NoLocking=1',
    // Only package names and hashes are needed: no translations, icons or contents.
    'Acquire::Languages=none',
    'Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false',
    'Acquire::Retries=3',
  ].flatMap((option) => ['-o', option]);

async function checkPackage(archives: string, files: readonly string[], wanted: DebianRequest): Promise<void> {
  const file = files.find((entry) => entry.startsWith(`${wanted.name}_`));
  if (file === undefined) throw new EngramError('PACKAGE_UNAVAILABLE', `apt-get downloaded no ${wanted.name}`);
  if (wanted.sha256 !== undefined && (await fileSha256(join(archives, file))) !== wanted.sha256) {
    throw new EngramError('PACKAGE_UNAVAILABLE', `the downloaded ${wanted.name} does not match its pinned sha256`, {
      file,
    });
  }
}
