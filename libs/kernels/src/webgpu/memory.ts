/// <reference types="@webgpu/types" />
import { outOfMemory, tooLargeForBinding } from '../device-errors.ts';
import type { Checks } from './checks.ts';
import type { Commands } from './commands.ts';
import { usage } from './gpu-flags.ts';

export interface GpuMemory {
  /** Zero-filled, or with `data`. @throws DEVICE_OUT_OF_MEMORY beyond the ceiling or what one buffer can hold. */
  reserve(length: number, data?: Float32Array): GPUBuffer;
  release(buffer: GPUBuffer): void;
  /** Buffers of any content for the commands that `use` records; kept for the next call of that length. */
  temporaries<T>(count: number, length: number, use: (buffers: readonly GPUBuffer[]) => T): T;
  usage(): { readonly bytes: number; readonly peak: number };
}

/** Temporaries kept for the next kernel: what one level of a registration needs, and the level before it. */
const MOST_IDLE = 16;

export function createGpuMemory(device: GPUDevice, commands: Commands, checks: Checks, maxBytes: number): GpuMemory {
  /** Longest unused first. */
  let idle: GPUBuffer[] = [];
  let reserved = 0;
  let temporary = 0;
  let peak = 0;

  const dropIdle = (keep: number) => {
    for (const buffer of idle.slice(0, Math.max(0, idle.length - keep))) {
      temporary -= buffer.size;
      commands.retire(buffer);
    }
    idle = idle.slice(Math.max(0, idle.length - keep));
  };
  const create = (bytes: number, data?: Float32Array): GPUBuffer => {
    checks.alive();
    const most = Math.min(device.limits.maxStorageBufferBindingSize, device.limits.maxBufferSize);
    if (bytes > most) throw tooLargeForBinding(bytes, most);
    if (reserved + temporary + bytes > maxBytes) dropIdle(0);
    if (reserved + temporary + bytes > maxBytes) throw outOfMemory(bytes, reserved + temporary, maxBytes);
    checks.begin();
    try {
      return createBuffer(device, bytes, data);
    } catch {
      // The only thing that is told at once: memory to write into cannot be had.
      throw outOfMemory(bytes, reserved + temporary, maxBytes);
    } finally {
      checks.end();
    }
  };
  const noteUsage = () => {
    peak = Math.max(peak, reserved + temporary);
  };

  const borrow = (bytes: number): GPUBuffer => {
    const at = idle.findLastIndex((buffer) => buffer.size === bytes);
    if (at >= 0) return idle.splice(at, 1)[0];
    const buffer = create(bytes);
    temporary += bytes;
    noteUsage();
    return buffer;
  };

  return {
    reserve: (length, data) => {
      const buffer = create(bytesOf(length), data);
      reserved += buffer.size;
      noteUsage();
      return buffer;
    },
    release: (buffer) => {
      reserved -= buffer.size;
      commands.retire(buffer);
    },
    temporaries: (count, length, use) => {
      const borrowed: GPUBuffer[] = [];
      try {
        for (let k = 0; k < count; k++) borrowed.push(borrow(bytesOf(length)));
        return use(borrowed);
      } finally {
        // The next user's commands come after these.
        idle.push(...borrowed);
        dropIdle(MOST_IDLE);
      }
    },
    usage: () => ({ bytes: reserved, peak }),
  };
}

/** A buffer of no bytes cannot be bound. */
const bytesOf = (length: number): number => Math.max(4, length * 4);

function createBuffer(device: GPUDevice, size: number, data: Float32Array | undefined): GPUBuffer {
  const flags = usage.storage | usage.copySource | usage.copyTarget;
  if (!data) return device.createBuffer({ size, usage: flags });
  const buffer = device.createBuffer({ size, usage: flags, mappedAtCreation: true });
  new Float32Array(buffer.getMappedRange()).set(data);
  buffer.unmap();
  return buffer;
}
