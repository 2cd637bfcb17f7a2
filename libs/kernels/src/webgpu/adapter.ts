/// <reference types="@webgpu/types" />
import { constants } from 'node:os';

export interface FoundAdapter {
  readonly adapter: Pick<GPUAdapter, 'limits' | 'requestDevice'>;
  /** As the driver calls itself: goes into every result's provenance. */
  readonly name: string;
  /** Runs on the processor: right, and far slower than the `wasm` backend. */
  readonly software: boolean;
}

/** Names under which software drivers report themselves where they do not say that they are a fallback. */
const SOFTWARE = /swiftshader|llvmpipe|lavapipe|software|basic render|warp/i;

/** Dawn's own state, for as long as the process runs: it crashes when this is collected while a device still answers. */
let instance: GPU | undefined;

/** The most capable adapter of this machine through npm `webgpu` (Dawn), or why there is none. */
export async function findAdapter(): Promise<FoundAdapter | { readonly reason: string }> {
  const dawn = await import('webgpu').catch(() => null);
  if (!dawn) return { reason: 'the optional package webgpu is not installed, or has no build for this platform' };
  if (!hasVulkanLoader()) return { reason: 'there is no Vulkan loader (libvulkan.so.1): install a graphics driver' };
  instance ??= dawn.create([]);
  const adapter = await instance.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) return { reason: 'no graphics driver offers WebGPU: install or update it' };
  const { vendor, architecture, device, description, isFallbackAdapter } = adapter.info;
  const described = [device || `${vendor} ${architecture}`.trim(), description].filter((part) => part !== '');
  return {
    adapter,
    name: described.join(', '),
    software: isFallbackAdapter || SOFTWARE.test(`${architecture} ${device} ${description}`),
  };
}

/** Asked first, because Dawn itself writes a warning to stderr where there is none. */
function hasVulkanLoader(): boolean {
  if (process.platform !== 'linux') return true;
  try {
    process.dlopen({ exports: {} }, 'libvulkan.so.1', constants.dlopen.RTLD_LAZY);
    return true;
  } catch (error) {
    // It loads and is no module of Node's, or it does not load.
    return String(error).includes('did not self-register');
  }
}
