/** Known smooth one-to-one maps of space: exp of a stationary velocity field by scaling and squaring (Arsigny 2006). */
import { type Affine, invertAffine, type Shape3, type Vec3 } from '@engram/volume';
import type { Random } from './random.ts';
import { smooth, trilinear } from './sample.ts';

/** Vectors in mm on a grid whose axes run along R, A, S. */
export interface VectorField {
  readonly shape: Shape3;
  readonly affine: Affine;
  readonly components: readonly [Float32Array, Float32Array, Float32Array];
}

/** A grid of `spacing` mm over a box in RAS mm. */
export function emptyField(min: Vec3, max: Vec3, spacing: number): VectorField {
  const n = (axis: 0 | 1 | 2) => Math.ceil((max[axis] - min[axis]) / spacing) + 1;
  const shape: Shape3 = [n(0), n(1), n(2)];
  const length = shape[0] * shape[1] * shape[2];
  return {
    shape,
    affine: [spacing, 0, 0, min[0], 0, spacing, 0, min[1], 0, 0, spacing, min[2], 0, 0, 0, 1],
    components: [new Float32Array(length), new Float32Array(length), new Float32Array(length)],
  };
}

/** Adds smooth noise of the given correlation length, scaled so that the largest component is `amplitude` mm. */
export function addRandom(field: VectorField, amplitude: number, correlationMm: number, rng: Random): void {
  const sigma = correlationMm / field.affine[0];
  for (const component of field.components) {
    const white = Float32Array.from({ length: component.length }, () => rng.normal());
    const waves = smooth(white, field.shape, [sigma, sigma, sigma]);
    const largest = waves.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    for (let at = 0; at < component.length; at++) component[at] += (waves[at] / largest) * amplitude;
  }
}

/** Adds rate·(x - centre)·exp(-|x - centre|²/2sigma²): a source (rate > 0) or sink whose divergence at the centre is 3·rate. */
export function addSource(field: VectorField, centre: Vec3, sigma: number, rate: number): void {
  const [nx, ny, nz] = field.shape;
  const spacing = field.affine[0];
  let at = 0;
  for (let k = 0; k < nz; k++)
    for (let j = 0; j < ny; j++)
      for (let i = 0; i < nx; i++, at++) {
        const dx = field.affine[3] + i * spacing - centre[0];
        const dy = field.affine[7] + j * spacing - centre[1];
        const dz = field.affine[11] + k * spacing - centre[2];
        const weight = rate * Math.exp(-(dx * dx + dy * dy + dz * dz) / (2 * sigma * sigma));
        field.components[0][at] += weight * dx;
        field.components[1][at] += weight * dy;
        field.components[2][at] += weight * dz;
      }
}

/** Displacement field of exp(velocity): x ↦ x + u(x) is one-to-one and smooth; exp of -velocity is its inverse. */
export function exponential(velocity: VectorField, squarings = 6): VectorField {
  const { shape, affine } = velocity;
  const spacing = affine[0];
  let u = velocity.components.map((component) => component.map((value) => value / 2 ** squarings));
  const [nx, ny, nz] = shape;
  for (let step = 0; step < squarings; step++) {
    const next = u.map((component) => new Float32Array(component.length));
    let at = 0;
    for (let k = 0; k < nz; k++)
      for (let j = 0; j < ny; j++)
        for (let i = 0; i < nx; i++, at++) {
          const clamp = (value: number, n: number) => Math.min(n - 1, Math.max(0, value));
          const x = clamp(i + u[0][at] / spacing, nx);
          const y = clamp(j + u[1][at] / spacing, ny);
          const z = clamp(k + u[2][at] / spacing, nz);
          for (let c = 0; c < 3; c++) next[c][at] = u[c][at] + trilinear(u[c], shape, x, y, z, 0);
        }
    u = next;
  }
  return { shape, affine, components: [u[0], u[1], u[2]] };
}

/** The point that `p` (RAS mm) is taken to; beyond the field's grid the map is the identity. */
export function displacer(field: VectorField): (p: Vec3) => Vec3 {
  const m = invertAffine(field.affine);
  return (p) => {
    const x = m[0] * p[0] + m[3];
    const y = m[5] * p[1] + m[7];
    const z = m[10] * p[2] + m[11];
    return [
      p[0] + trilinear(field.components[0], field.shape, x, y, z, 0),
      p[1] + trilinear(field.components[1], field.shape, x, y, z, 0),
      p[2] + trilinear(field.components[2], field.shape, x, y, z, 0),
    ];
  };
}
