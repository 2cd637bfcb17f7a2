/// <reference types="@webgpu/types" />
import type { Buffer, Field, Shape } from '../device.ts';
import type { Kernel, Values } from './shader.ts';

/** What a kernel's host side needs of its device. Everything but `read` is recorded and returns at once. */
export interface Machine {
  /** The GPU's own buffer behind one of this device. @throws DEVICE_BUFFER_INVALID */
  buffer(buffer: Buffer, length: number): GPUBuffer;
  buffers(field: Field, length: number): [GPUBuffer, GPUBuffer, GPUBuffer];
  /** `count` buffers of `length` elements, of any content, for what `use` records before it first waits. */
  temporaries<T>(count: number, length: number, use: (buffers: readonly GPUBuffer[]) => T): T;
  /** A few numbers to bind as a read buffer of the next kernel. */
  constants(values: Float32Array): GPUBufferBinding;
  /** One invocation for each voxel of `shape`; buffers in the kernel's order. Nothing for an empty shape. */
  run(kernel: Kernel, shape: Shape, buffers: readonly (GPUBuffer | GPUBufferBinding)[], values?: Values): void;
  copy(from: GPUBuffer, to: GPUBuffer, length: number): void;
  /** To zero bits. */
  clear(buffer: GPUBuffer): void;
  /** What the buffer holds after all that was recorded so far. @throws what went wrong on the device until then. */
  read(buffer: GPUBuffer, bytes: number): Promise<ArrayBuffer>;
}

export const size = (shape: Shape): number => shape[0] * shape[1] * shape[2];
