/// <reference types="@webgpu/types" />
/**
 * WGSL around a kernel's body. One invocation an element; the body finds its index as `i`, its voxel as `at` and the grid
 * as `n` (both vec3i), its parameters in `p`, and its buffers under their names.
 */

/** Vectors first: then each member follows the one before without a gap. */
type Parameter = 'vec4f' | 'f32' | 'i32';

export interface Kernel {
  readonly name: string;
  readonly code: string;
  readonly parameters: Readonly<Record<string, Parameter>>;
}

export type Values = Readonly<Record<string, number | readonly number[]>>;

interface Source {
  /** Buffers that are only read. The same one may be given twice. */
  readonly read?: readonly string[];
  /** Buffers that are written; they may be read, and are distinct from every other. */
  readonly write?: readonly string[];
  /** Buffers of atomic u32. */
  readonly atomic?: readonly string[];
  readonly parameters?: Kernel['parameters'];
  /** WGSL that the body calls. */
  readonly functions?: readonly string[];
  readonly body: string;
}

export const WORKGROUP = 64;
/** Most workgroups along a dimension, in every implementation. */
const MOST_GROUPS = 65_535;
/** count, nx, ny, nz */
const HEADER = 4;

/** Buffers are bound in the order read, write, atomic. */
export function kernel(name: string, source: Source): Kernel {
  const { read = [], write = [], atomic = [], parameters = {}, functions = [], body } = source;
  const members = Object.entries(parameters).map(([member, type]) => `${member}: ${type}, `);
  const bound = [
    ...read.map((buffer) => `var<storage, read> ${buffer}: array<f32>;`),
    ...write.map((buffer) => `var<storage, read_write> ${buffer}: array<f32>;`),
    ...atomic.map((buffer) => `var<storage, read_write> ${buffer}: array<atomic<u32>>;`),
  ].map((declaration, i) => `@group(0) @binding(${i + 1}) ${declaration}`);
  const code = `
struct Parameters { count: i32, nx: i32, ny: i32, nz: i32, ${members.join('')}}
@group(0) @binding(0) var<uniform> p: Parameters;
${bound.join('\n')}
${functions.join('\n')}
@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = i32(id.y * groups.x * ${WORKGROUP}u + id.x);
  if (i >= p.count) { return; }
  let n = vec3i(p.nx, p.ny, p.nz);
  let at = vec3i(i % n.x, (i / n.x) % n.y, i / (n.x * n.y));
${body}
}`;
  return { name, code, parameters };
}

/** Workgroups for `count` invocations: a second dimension where one does not hold them. */
export function groupsFor(count: number): readonly [number, number] {
  const groups = Math.ceil(count / WORKGROUP);
  const rows = Math.ceil(groups / MOST_GROUPS);
  return [Math.ceil(groups / rows), rows];
}

/** The uniform's bytes: little-endian, as on every GPU. */
export function packParameters(
  { name, parameters }: Kernel,
  count: number,
  shape: readonly [number, number, number],
  values: Values,
): Uint8Array {
  const view = new DataView(new ArrayBuffer(4 * (HEADER + 4 * Object.keys(parameters).length)));
  let at = 0;
  const put = (value: number, integer: boolean) => {
    if (integer) view.setInt32(at, value, true);
    else view.setFloat32(at, value, true);
    at += 4;
  };
  for (const value of [count, ...shape]) put(value, true);
  for (const [member, type] of Object.entries(parameters)) {
    const value = values[member];
    if (value === undefined) throw new TypeError(`${name} lacks ${member}`);
    for (const number of typeof value === 'number' ? [value] : value) put(number, type === 'i32');
  }
  // With a vector in it the structure's size is a multiple of 16.
  return new Uint8Array(view.buffer, 0, Math.ceil(at / 16) * 16);
}
