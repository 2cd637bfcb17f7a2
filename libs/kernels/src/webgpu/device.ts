/// <reference types="@webgpu/types" />
import { EngramError } from '@engram/errors';
import { createBufferRegistry } from '../buffer-registry.ts';
import type { Device, Kernels } from '../device.ts';
import { adam } from './adam.ts';
import { type FoundAdapter, findAdapter } from './adapter.ts';
import { addAttenuated } from './add-attenuated.ts';
import { affine } from './affine.ts';
import { affineWarp } from './affine-warp.ts';
import { affineWarpNearest } from './affine-warp-nearest.ts';
import { axpby } from './axpby.ts';
import { type Checks, createChecks } from './checks.ts';
import { createCommands } from './commands.ts';
import { compose } from './compose.ts';
import { downsample } from './downsample.ts';
import { fillKernel } from './fill.ts';
import { gaussian } from './gaussian.ts';
import { jacobian } from './jacobian.ts';
import { lncc } from './lncc.ts';
import { type Machine, size } from './machine.ts';
import { maxNorm } from './max-norm.ts';
import { createGpuMemory } from './memory.ts';
import { reduce } from './reduce.ts';
import { resize } from './resize.ts';
import { samplePoints } from './sample-points.ts';
import { groupsFor, type Kernel, packParameters } from './shader.ts';
import { squaredNorm } from './squared-norm.ts';
import { warp } from './warp.ts';

/**
 * WGSL kernels on this machine's graphics device, through npm `webgpu`.
 * @throws DEVICE_UNAVAILABLE where there is none. DEVICE_OUT_OF_MEMORY beyond `maxBytes`, or when the device has no more.
 */
export async function openWebgpuDevice(maxBytes: number): Promise<Device> {
  const found = await findAdapter();
  if ('reason' in found) throw new EngramError('DEVICE_UNAVAILABLE', `No webgpu device: ${found.reason}`);
  return openAdapter(found, maxBytes);
}

export async function openAdapter({ adapter, name }: FoundAdapter, maxBytes: number): Promise<Device> {
  const { maxBufferSize, maxStorageBufferBindingSize } = adapter.limits;
  // By default a kernel may bind 128 MiB only: too little for a field of 256³ voxels' points.
  const requiredLimits = { maxBufferSize, maxStorageBufferBindingSize };
  const gpu = await adapter.requestDevice({ requiredLimits }).catch((cause: unknown) => {
    throw new EngramError('DEVICE_UNAVAILABLE', `${name} gives no device: update its driver`, { cause });
  });
  const checks = createChecks(gpu);
  const commands = createCommands(gpu, checks);
  const memory = createGpuMemory(gpu, commands, checks, maxBytes);
  const buffers = createBufferRegistry<GPUBuffer>(memory.release);
  const pipelineOf = createPipelines(gpu, checks);

  const machine: Machine = {
    buffer: buffers.get,
    buffers: buffers.getField,
    temporaries: memory.temporaries,
    constants: commands.constants,
    run: (kernel, shape, bound, values = {}) => {
      const count = size(shape);
      if (count === 0) return;
      commands.dispatch(pipelineOf(kernel), packParameters(kernel, count, shape, values), bound, groupsFor(count));
    },
    copy: (from, to, length) => {
      if (from !== to && length > 0) commands.copy(from, to, length * 4);
    },
    clear: commands.clear,
    read: commands.read,
  };

  return {
    info: { backend: 'webgpu', name: `webgpu (${name})`, threads: 1 },
    kernels: kernelsOf(machine),
    alloc: (length) => buffers.add(length, memory.reserve(length)),
    upload: (data) => buffers.add(data.length, memory.reserve(data.length, data)),
    download: async (buffer, out = new Float32Array(buffer.length)) => {
      const from = buffers.get(buffer);
      if (buffer.length > 0) out.set(new Float32Array(await machine.read(from, buffer.length * 4)));
      return out;
    },
    copy: (from, to) => machine.copy(buffers.get(from), buffers.get(to, from.length), from.length),
    fill: (buffer, value) => machine.run(fillKernel, [buffer.length, 1, 1], [buffers.get(buffer)], { value }),
    scope: buffers.scope,
    memory: memory.usage,
    close: async () => {
      buffers.disposeAll();
      gpu.destroy();
    },
  };
}

/** Compiled when first needed. */
function createPipelines(gpu: GPUDevice, checks: Checks): (kernel: Kernel) => GPUComputePipeline {
  const pipelines = new Map<Kernel, GPUComputePipeline>();
  return (kernel) => {
    const known = pipelines.get(kernel);
    if (known) return known;
    checks.alive();
    checks.begin();
    const module = gpu.createShaderModule({ label: kernel.name, code: kernel.code });
    const pipeline = gpu.createComputePipeline({ label: kernel.name, layout: 'auto', compute: { module } });
    checks.end();
    pipelines.set(kernel, pipeline);
    return pipeline;
  };
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
