import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { EngramError, isEngramError } from '@engram/errors';
import type { Device, DeviceInfo } from './device.ts';
import { expectSameAnswers } from './same-answers.ts';
import { openScalarDevice } from './scalar/device.ts';
import { openWasmDevice, wasmFile } from './wasm/device.ts';
import { findAdapter } from './webgpu/adapter.ts';
import { openWebgpuDevice } from './webgpu/device.ts';

type Backend = DeviceInfo['backend'];

export interface DeviceOptions {
  /** `auto` (default): the first of `listDevices` that is available and no software in a graphics device's place. */
  readonly backend?: 'auto' | Backend;
  /** Default: the processors this process may use, at most 8: kernels are bound by memory well before that. */
  readonly threads?: number;
  /** Ceiling of the device's memory, MiB; default and most 4096, which is all that WebAssembly addresses. */
  readonly maxMemoryMb?: number;
}

export interface DeviceListing {
  readonly backend: Backend;
  readonly name: string;
  readonly available: boolean;
  /** A graphics driver that runs on the processor: for tests, slower than any other backend. */
  readonly software: boolean;
  /** Why not available. */
  readonly reason?: string;
}

/**
 * Opens a device; `close` ends its threads. A graphics device must first answer a small problem as `scalar` does.
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
  if (backend !== 'auto') return openBackend(backend, maxBytes, count);
  for (const listing of await listDevices()) {
    if (!listing.available || listing.software) continue;
    try {
      return await openBackend(listing.backend, maxBytes, count);
    } catch (error) {
      if (!isEngramError(error, 'DEVICE_UNAVAILABLE')) throw error;
    }
  }
  return openScalarDevice(maxBytes);
}

async function openBackend(backend: Backend, maxBytes: number, threads: number): Promise<Device> {
  if (backend === 'scalar') return openScalarDevice(maxBytes);
  if (backend === 'wasm') return openWasmDevice(maxBytes, threads);
  const device = await openWebgpuDevice(maxBytes);
  try {
    await expectSameAnswers(device);
    return device;
  } catch (cause) {
    await device.close();
    if (isEngramError(cause, 'DEVICE_UNAVAILABLE')) throw cause;
    throw new EngramError('DEVICE_UNAVAILABLE', `${device.info.name} cannot run the kernels: update its driver`, {
      cause,
    });
  }
}

/** Every backend, in the order in which `auto` tries them, and whether it can be opened here. */
export async function listDevices(): Promise<DeviceListing[]> {
  const adapter = await findAdapter();
  const built = existsSync(wasmFile);
  return [
    {
      backend: 'webgpu',
      ...('reason' in adapter
        ? { name: 'webgpu', available: false, software: false, reason: adapter.reason }
        : { name: `webgpu (${adapter.name})`, available: true, software: adapter.software }),
    },
    {
      backend: 'wasm',
      name: `wasm-simd (${availableParallelism()} processors)`,
      available: built,
      software: false,
      ...(built ? {} : { reason: 'kernels.wasm is not built: run `npm run setup`' }),
    },
    { backend: 'scalar', name: 'scalar (1 thread)', available: true, software: false },
  ];
}
