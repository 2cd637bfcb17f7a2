/** WGSL: trilinear interpolation, coordinates in voxels. The same steps as in ../scalar/trilinear.ts. */

/**
 * NaN is tested in the bits: WGSL lets a compiler assume that there is none, and drop `v != v`.
 */
export const isNan = /* wgsl */ `
fn is_nan(v: f32) -> bool { return (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u; }`;

/** The cell of a point, clamped to the image; the steps to its neighbours are 0 along an axis of one voxel. */
const cell = /* wgsl */ `
struct Cell { origin: i32, right: i32, row: i32, plane: i32, t: vec3f }
fn cell_of(q: vec3f, n: vec3i) -> Cell {
  let f = clamp(q, vec3f(0), vec3f(n - 1));
  let c = min(vec3i(f), max(n - 2, vec3i(0)));
  let step = select(vec3i(0), vec3i(1, n.x, n.x * n.y), n > vec3i(1));
  return Cell((c.z * n.y + c.y) * n.x + c.x, step.x, step.y, step.z, f - vec3f(c));
}`;

/** Each coordinate within [-0.5, n - 0.5). */
export const isInside = /* wgsl */ `
fn is_inside(q: vec3f, n: vec3i) -> bool {
  return !is_nan(q.x + q.y + q.z) && all(q >= vec3f(-0.5)) && all(q < vec3f(n) - 0.5);
}`;

/** `sample_NAME(q, n)`: the buffer NAME, an image of shape n, at q, clamped; NaN at a NaN. */
const sampler = (image: string): string => /* wgsl */ `
fn along_x_${image}(origin: i32, c: Cell) -> f32 {
  let near = ${image}[origin];
  return near + c.t.x * (${image}[origin + c.right] - near);
}
fn along_y_${image}(origin: i32, c: Cell) -> f32 {
  let near = along_x_${image}(origin, c);
  return near + c.t.y * (along_x_${image}(origin + c.row, c) - near);
}
fn sample_${image}(q: vec3f, n: vec3i) -> f32 {
  let sum = q.x + q.y + q.z;
  if (is_nan(sum)) { return sum; }
  let c = cell_of(q, n);
  let near = along_y_${image}(c.origin, c);
  return near + c.t.z * (along_y_${image}(c.origin + c.plane, c) - near);
}`;

/** All that `sample_NAME` needs. */
export const sampling = (image: string): readonly string[] => [isNan, cell, sampler(image)];
