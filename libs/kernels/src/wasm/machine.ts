import type { Buffer, Field, Shape } from '../device.ts';

/** What a kernel's host side needs: pointers, scratch, dispatch. All pointers are bytes into the shared memory. */
export interface Machine {
  readonly threads: number;
  /** A buffer of this device, at least `length` long. @throws DEVICE_BUFFER_INVALID */
  pointer(buffer: Buffer, length: number): number;
  pointers(field: Field, length: number): [number, number, number];
  /** Memory of this size for the call. */
  temporary<T>(bytes: number, use: (pointer: number) => T): T;
  writeFloats(pointer: number, values: Float32Array): void;
  writeDoubles(pointer: number, values: readonly number[]): void;
  readDoubles(pointer: number, length: number): Float64Array;
  /** Calls `kernel(...values, from, to, scratch)` over `items` in parallel and returns when all are done. */
  dispatch(kernel: string, values: readonly number[], items: number, options: DispatchOptions): void;
}

export interface DispatchOptions {
  /** Voxels of the whole dispatch: what is small is not spread over threads. */
  readonly voxels: number;
  /** Bytes of scratch a thread. */
  readonly scratch?: number;
  /** Chunks a thread should get: more balance better, fewer repeat less halo. */
  readonly chunks?: number;
}

/** Elements of a flat item; the same number as in kernels/vector.ts. */
export const BLOCK = 16_384;

export const size = (shape: Shape): number => shape[0] * shape[1] * shape[2];
