import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { EngramError } from '@engram/errors';
import { createBufferRegistry } from '../buffer-registry.ts';
import type { Buffer, Device, Kernels } from '../device.ts';
import { adam } from './adam.ts';
import { addAttenuated } from './add-attenuated.ts';
import { affine } from './affine.ts';
import { affineWarp } from './affine-warp.ts';
import { affineWarpNearest } from './affine-warp-nearest.ts';
import { axpby } from './axpby.ts';
import { compose } from './compose.ts';
import { downsample } from './downsample.ts';
import { gaussian } from './gaussian.ts';
import { jacobian } from './jacobian.ts';
import { lncc } from './lncc.ts';
import type { Machine } from './machine.ts';
import { maxNorm } from './max-norm.ts';
import { createMemory } from './memory.ts';
import { openPool } from './pool.ts';
import { reduce } from './reduce.ts';
import { resize } from './resize.ts';
import { samplePoints } from './sample-points.ts';
import { squaredNorm } from './squared-norm.ts';
import { warp } from './warp.ts';

/** Built by scripts/build-wasm.ts. */
export const wasmFile: string = fileURLToPath(new URL('../../dist/kernels.wasm', import.meta.url));

/** Below this a dispatch takes less time than waking a thread. */
const WORTH_SPREADING = 32_768;

/**
 * AssemblyScript SIMD kernels over one shared memory, spread over `threads`.
 * @throws DEVICE_UNAVAILABLE when the kernels are not built. DEVICE_OUT_OF_MEMORY beyond `maxBytes`.
 */
export function openWasmDevice(maxBytes: number, threads: number): Device {
  const store = createMemory(maxBytes);
  const pool = openPool(compile(), store.memory, threads);
  const buffers = createBufferRegistry<number>(store.release);

  const floats = (at: number, length: number) => new Float32Array(store.memory.buffer, at, length);
  const create = (length: number): Buffer => buffers.add(length, store.reserve(length * 4));

  const machine: Machine = {
    threads,
    pointer: buffers.get,
    pointers: buffers.getField,
    temporary: (bytes, use) => {
      const at = store.reserve(bytes);
      try {
        return use(at);
      } finally {
        store.release(at);
      }
    },
    writeFloats: (at, values) => floats(at, values.length).set(values),
    writeDoubles: (at, values) => new Float64Array(store.memory.buffer, at, values.length).set(values),
    readDoubles: (at, length) => new Float64Array(store.memory.buffer, at, length).slice(),
    dispatch: (kernel, values, items, { voxels, scratch = 0, chunks = 4 }) => {
      if (items === 0 || voxels === 0) return;
      const alone = voxels < WORTH_SPREADING || items === 1 || threads === 1;
      const chunk = alone ? items : Math.ceil(items / (threads * chunks));
      const stride = Math.ceil((scratch + 64) / 64) * 64;
      machine.temporary(stride * threads, (at) =>
        pool.run(kernel, { values, items, chunk, scratch: at, scratchStride: stride, alone }),
      );
    },
  };

  return {
    info: { backend: 'wasm', name: `wasm-simd (${threads} ${threads === 1 ? 'thread' : 'threads'})`, threads },
    kernels: kernelsOf(machine),
    alloc: (length) => {
      const buffer = create(length);
      floats(buffers.get(buffer), length).fill(0);
      return buffer;
    },
    upload: (values) => {
      const buffer = create(values.length);
      floats(buffers.get(buffer), values.length).set(values);
      return buffer;
    },
    download: async (buffer, out = new Float32Array(buffer.length)) => {
      out.set(floats(buffers.get(buffer), buffer.length));
      return out;
    },
    copy: (from, to) => floats(buffers.get(to, from.length), from.length).set(floats(buffers.get(from), from.length)),
    fill: (buffer, value) => {
      floats(buffers.get(buffer), buffer.length).fill(value);
    },
    scope: buffers.scope,
    memory: store.usage,
    close: async () => {
      buffers.disposeAll();
      await pool.close();
    },
  };
}

function compile(): WebAssembly.Module {
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = new Uint8Array(readFileSync(wasmFile));
  } catch (cause) {
    throw new EngramError('DEVICE_UNAVAILABLE', 'The WASM kernels are not built', { file: 'kernels.wasm', cause });
  }
  return new WebAssembly.Module(bytes);
}

const kernelsOf = (machine: Machine): Kernels => ({
  gaussian: gaussian(machine),
  warp: warp(machine),
  affine: affine(machine),
  affineWarp: affineWarp(machine),
  affineWarpNearest: affineWarpNearest(machine),
  compose: compose(machine),
  lncc: lncc(machine),
  downsample: downsample(machine),
  resize: resize(machine),
  maxNorm: maxNorm(machine),
  axpby: axpby(machine),
  squaredNorm: squaredNorm(machine),
  addAttenuated: addAttenuated(machine),
  adam: adam(machine),
  jacobian: jacobian(machine),
  samplePoints: samplePoints(machine),
  reduce: reduce(machine),
});
