import type { Shape } from '../device.ts';

/** Trilinear value at a point in voxels, clamped to the border; NaN at a NaN. */
export function trilinear(image: Float32Array, [nx, ny, nz]: Shape, x: number, y: number, z: number): number {
  if (Number.isNaN(x + y + z)) return Number.NaN;
  const fx = Math.min(Math.max(x, 0), nx - 1);
  const fy = Math.min(Math.max(y, 0), ny - 1);
  const fz = Math.min(Math.max(z, 0), nz - 1);
  const ix = Math.min(Math.floor(fx), Math.max(nx - 2, 0));
  const iy = Math.min(Math.floor(fy), Math.max(ny - 2, 0));
  const iz = Math.min(Math.floor(fz), Math.max(nz - 2, 0));
  const tx = fx - ix;
  const ty = fy - iy;
  const tz = fz - iz;
  const right = nx > 1 ? 1 : 0;
  const row = ny > 1 ? nx : 0;
  const plane = nz > 1 ? nx * ny : 0;
  const alongX = (at: number) => image[at] + tx * (image[at + right] - image[at]);
  const alongY = (at: number) => {
    const near = alongX(at);
    return near + ty * (alongX(at + row) - near);
  };
  const at = (iz * ny + iy) * nx + ix;
  const near = alongY(at);
  return near + tz * (alongY(at + plane) - near);
}

/** Each coordinate within [-0.5, n - 0.5). */
export function isInside([nx, ny, nz]: Shape, x: number, y: number, z: number): boolean {
  return x >= -0.5 && y >= -0.5 && z >= -0.5 && x < nx - 0.5 && y < ny - 0.5 && z < nz - 0.5;
}
