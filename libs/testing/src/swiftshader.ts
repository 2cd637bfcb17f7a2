/**
 * A Vulkan driver that runs on the processor, so that the WebGPU backend is tested where there is no GPU: SwiftShader as
 * Debian's chromium-common ships it, which `node scripts/fetch-swiftshader.ts` puts into the cache folder.
 *
 * @example
 * const missing = useSwiftshader();
 * test.skipIf(missing)(`smooths (${missing ?? 'SwiftShader'})`, () => openDevice({ backend: 'webgpu' }));
 */
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { cacheDir } from '@engram/cache';

const LOADER = 'libvulkan.so.1';
const DRIVER = 'vk_swiftshader_icd.json';

/** What of the package is needed. */
export const SWIFTSHADER_FILES: readonly string[] = [LOADER, DRIVER, 'libvk_swiftshader.so'];

export const swiftshaderFolder = (): string => join(cacheDir(), 'swiftshader');

/** What SwiftShader needs in the environment of a child process. */
export const swiftshaderEnvironment = (): Readonly<Record<string, string>> => ({
  VK_ICD_FILENAMES: join(swiftshaderFolder(), DRIVER),
  LD_LIBRARY_PATH: swiftshaderFolder(),
});

/** glibc's: the library stays, although Node closes it again. */
const RTLD_NODELETE = 0x1000;

/**
 * Makes SwiftShader this process's graphics driver; with `ENGRAM_TEST_GPU=1` the machine's own is tested instead.
 * Returns why that cannot be, or null. To be called before the first device is opened.
 */
export function useSwiftshader(): string | null {
  if (process.env['ENGRAM_TEST_GPU'] === '1') return null;
  if (process.platform !== 'linux') return 'SwiftShader is fetched on Linux only; ENGRAM_TEST_GPU=1 takes the GPU';
  const folder = swiftshaderFolder();
  if (!SWIFTSHADER_FILES.every((file) => existsSync(join(folder, file))))
    return 'no graphics driver for tests: `node scripts/fetch-swiftshader.ts` fetches one';
  process.env['VK_ICD_FILENAMES'] = join(folder, DRIVER);
  try {
    // LD_LIBRARY_PATH is read when a process starts; a library that is loaded already is found by its name.
    process.dlopen({ exports: {} }, join(folder, LOADER), constants.dlopen.RTLD_LAZY | RTLD_NODELETE);
  } catch (error) {
    if (!String(error).includes('did not self-register')) return `the Vulkan loader does not load: ${String(error)}`;
  }
  return null;
}
