/// <reference types="@webgpu/types" />
import type { Checks } from './checks.ts';
import { MAP_FOR_READING, usage } from './gpu-flags.ts';

/**
 * Commands in call order, handed to the GPU many at a time: when a result is asked for, or when the numbers that they
 * carry fill the arena.
 */
export interface Commands {
  /** `uniform` is bound at 0 and `buffers` from 1 on. */
  dispatch(
    pipeline: GPUComputePipeline,
    uniform: Uint8Array,
    buffers: readonly (GPUBuffer | GPUBufferBinding)[],
    groups: readonly [number, number],
  ): void;
  /** Numbers that the next dispatch reads. */
  constants(values: Float32Array): GPUBufferBinding;
  copy(from: GPUBuffer, to: GPUBuffer, bytes: number): void;
  clear(buffer: GPUBuffer): void;
  /** A copy of the bytes as they are after what was recorded so far. */
  read(buffer: GPUBuffer, bytes: number): Promise<ArrayBuffer>;
  /** Frees a buffer once no recorded command needs it. */
  retire(buffer: GPUBuffer): void;
}

const ARENA_BYTES = 65_536;
/** Where a binding may begin, and what any kernel's parameters fit in. */
const SLOT = 256;

interface Batch {
  readonly encoder: GPUCommandEncoder;
  pass: GPUComputePassEncoder | null;
}

export function createCommands(device: GPUDevice, checks: Checks): Commands {
  const arena = device.createBuffer({ size: ARENA_BYTES, usage: usage.uniform | usage.storage | usage.copyTarget });
  const staged = new Uint8Array(ARENA_BYTES);
  let used = 0;
  let batch: Batch | null = null;
  let retired: GPUBuffer[] = [];

  const open = (): Batch => {
    if (batch) return batch;
    checks.alive();
    checks.begin();
    batch = { encoder: device.createCommandEncoder(), pass: null };
    return batch;
  };
  const outsidePass = (): GPUCommandEncoder => {
    const current = open();
    current.pass?.end();
    current.pass = null;
    return current.encoder;
  };
  const flush = (): void => {
    if (!batch) return;
    const commands = outsidePass().finish();
    // The arena was read by all that was submitted before: the queue keeps this order.
    device.queue.writeBuffer(arena, 0, staged, 0, used);
    device.queue.submit([commands]);
    checks.end();
    for (const buffer of retired) buffer.destroy();
    [batch, used, retired] = [null, 0, []];
  };
  /** Puts bytes into the arena, with `room` left for what belongs with them. */
  const place = (bytes: Uint8Array, room = 0): GPUBufferBinding => {
    if (used + bytes.length + room > ARENA_BYTES) flush();
    const offset = used;
    staged.set(bytes, offset);
    used += Math.ceil(bytes.length / SLOT) * SLOT;
    return { buffer: arena, offset, size: bytes.length };
  };

  return {
    dispatch: (pipeline, uniform, buffers, groups) => {
      const parameters = place(uniform);
      const current = open();
      const resources = [parameters, ...buffers.map((buffer) => ('buffer' in buffer ? buffer : { buffer }))];
      const entries = resources.map((resource, binding) => ({ binding, resource }));
      const group = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
      current.pass ??= current.encoder.beginComputePass();
      current.pass.setPipeline(pipeline);
      current.pass.setBindGroup(0, group);
      current.pass.dispatchWorkgroups(...groups);
    },
    constants: (values) => place(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), 2 * SLOT),
    copy: (from, to, bytes) => outsidePass().copyBufferToBuffer(from, 0, to, 0, bytes),
    clear: (buffer) => outsidePass().clearBuffer(buffer),
    read: async (buffer, bytes) => {
      const encoder = outsidePass();
      const staging = device.createBuffer({ size: bytes, usage: usage.mapRead | usage.copyTarget });
      try {
        encoder.copyBufferToBuffer(buffer, 0, staging, 0, bytes);
        // What is read in one go is submitted in one go.
        await null;
        flush();
        const mapped = staging.mapAsync(MAP_FOR_READING).then(
          () => null,
          (cause: unknown) => ({ cause }),
        );
        await checks.settle();
        const failure = await mapped;
        if (failure) throw await checks.coded(failure.cause);
        return staging.getMappedRange().slice(0);
      } finally {
        staging.destroy();
      }
    },
    retire: (buffer) => {
      if (batch) retired.push(buffer);
      else buffer.destroy();
    },
  };
}
