import type { Kernels } from '../device.ts';
import { boxSum } from './box-sum.ts';
import { type Machine, size } from './machine.ts';
import { reduceVolume } from './reduce.ts';
import { kernel } from './shader.ts';

/**
 * Window sums to p, q, c and E (docs/algorithms/kernels.md), each in place of a sum: sf → p, sm → q, sff → c, smm → E,
 * and sfm → 1 where a window is centred, 0 elsewhere.
 */
const statisticsKernel = kernel('lnccStatistics', {
  read: ['mask'],
  write: ['sf', 'sm', 'sff', 'smm', 'sfm'],
  parameters: { radius: 'i32', masked: 'i32', epsilon: 'f32' },
  body: /* wgsl */ `
  if (p.masked == 1 && !(mask[i] > 0.0)) {
    sf[i] = 0.0;
    sm[i] = 0.0;
    sff[i] = 0.0;
    smm[i] = 0.0;
    sfm[i] = 0.0;
    return;
  }
  let sides = min(at + p.radius, n - 1) - max(at - p.radius, vec3i(0)) + 1;
  let voxels = f32(sides.x * sides.y * sides.z);
  let f0 = sf[i] / voxels;
  let m0 = sm[i] / voxels;
  let ff = sff[i] - sf[i] * f0 + p.epsilon;
  let mm = smm[i] - sm[i] * m0 + p.epsilon;
  let fm = sfm[i] - sf[i] * m0;
  let pv = abs(fm) / (ff * mm);
  let e = fm * pv;
  let q = e / mm;
  sf[i] = pv;
  sm[i] = q;
  sff[i] = q * m0 - pv * f0;
  smm[i] = e;
  sfm[i] = 1.0;`,
});

const forceKernel = kernel('lnccForce', {
  read: ['fixed', 'moving', 'bp', 'bq', 'bc'],
  write: ['gx', 'gy', 'gz'],
  body: /* wgsl */ `
  // The 2 of the derivative and the 1/2 of the central difference cancel.
  let d = fixed[i] * bp[i] - moving[i] * bq[i] + bc[i];
  let step = vec3i(1, n.x, n.x * n.y);
  let after = i + select(vec3i(0), step, at < n - 1);
  let before = i - select(vec3i(0), step, at > vec3i(0));
  gx[i] = d * (moving[after.x] - moving[before.x]);
  gy[i] = d * (moving[after.y] - moving[before.y]);
  gz[i] = d * (moving[after.z] - moving[before.z]);`,
});

export const lncc =
  (machine: Machine): Kernels['lncc'] =>
  async (fixed, moving, mask, shape, radius, epsilon, force) => {
    const n = size(shape);
    const [f, m] = [machine.buffer(fixed, n), machine.buffer(moving, n)];
    const centres = mask ? machine.buffer(mask, n) : f;
    const output = machine.buffers(force, n);
    const [correlation, count] = await machine.temporaries(5, n, ([sf, sm, sff, smm, sfm]) => {
      boxSum(machine, [f], shape, radius, sf);
      boxSum(machine, [m], shape, radius, sm);
      boxSum(machine, [f, f], shape, radius, sff);
      boxSum(machine, [m, m], shape, radius, smm);
      boxSum(machine, [f, m], shape, radius, sfm);
      const values = { radius, masked: mask ? 1 : 0, epsilon };
      machine.run(statisticsKernel, shape, [centres, sf, sm, sff, smm, sfm], values);
      for (const buffer of [sf, sm, sff]) boxSum(machine, [buffer], shape, radius, buffer);
      machine.run(forceKernel, shape, [f, m, sf, sm, sff, ...output]);
      return Promise.all([reduceVolume(machine, smm, n), reduceVolume(machine, sfm, n)]);
    });
    return count.sum > 0 ? correlation.sum / count.sum : 0;
  };
