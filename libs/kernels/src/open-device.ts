import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { EngramError } from '@engram/errors';
import type { Device } from './device.ts';
import { openScalarDevice } from './scalar/device.ts';
import { openWasmDevice, wasmFile } from './wasm/device.ts';

export interface DeviceOptions {
  /** `auto` (default): the fastest that is available. */
  readonly backend?: 'auto' | 'scalar' | 'wasm';
  /** Default: the processors this process may use, at most 8: kernels are bound by memory well before that. */
  readonly threads?: number;
  /** Ceiling of the device's memory, MiB; default and most 4096, which is all that WebAssembly addresses. */
  readonly maxMemoryMb?: number;
}

export interface DeviceListing {
  readonly backend: 'scalar' | 'wasm';
  readonly name: string;
  readonly available: boolean;
  /** Why not. */
  readonly reason?: string;
}

/**
 * Opens a device; `close` ends its threads.
 * @throws DEVICE_UNAVAILABLE when the backend asked for cannot be had here.
 * @example
 * const device = await openDevice();
 * const image = device.upload(volume.data);
 */
export async function openDevice({
  backend = 'auto',
  threads,
  maxMemoryMb = 4096,
}: DeviceOptions = {}): Promise<Device> {
  const count = threads ?? Math.min(availableParallelism(), 8);
  if (!Number.isInteger(count) || count < 1) {
    throw new EngramError('DEVICE_UNAVAILABLE', `A device needs one thread or more, not ${count}`, {
      field: 'threads',
    });
  }
  const maxBytes = Math.min(maxMemoryMb, 4096) * 2 ** 20;
  const chosen = backend === 'auto' ? (listDevices().find(({ available }) => available)?.backend ?? 'scalar') : backend;
  return chosen === 'wasm' ? openWasmDevice(maxBytes, count) : openScalarDevice(maxBytes);
}

/** Every backend, fastest first, and whether it can be opened here. */
export function listDevices(): DeviceListing[] {
  const built = existsSync(wasmFile);
  return [
    {
      backend: 'wasm',
      name: `wasm-simd (${availableParallelism()} processors)`,
      available: built,
      ...(built ? {} : { reason: 'kernels.wasm is not built: run `npm run setup`' }),
    },
    { backend: 'scalar', name: 'scalar (1 thread)', available: true },
  ];
}
