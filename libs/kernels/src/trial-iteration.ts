import type { Device, Field, Shape } from './device.ts';

/**
 * One iteration of what registration does, on made-up images: by it backends and numbers of threads are compared. Last
 * come the metric, the determinants' smallest, largest and sum, and the longest displacement.
 */
export function trialIteration(device: Device, shape: Shape): Promise<Float32Array[]> {
  return device.scope(async () => {
    const { kernels } = device;
    const n = shape[0] * shape[1] * shape[2];
    const wave = (k: number) =>
      device.upload(Float32Array.from({ length: n }, (_, i) => Math.sin(i * k) + Math.cos(i * k * 7.3)));
    const field = (): Field => [device.alloc(n), device.alloc(n), device.alloc(n)];
    const [fixed, moving, warped] = [wave(0.011), wave(0.013), device.alloc(n)];
    const u = [wave(0.003), wave(0.007), wave(0.009)] as const;
    const [force, m, v, step] = [field(), field(), field(), field()];
    kernels.warp(moving, u, shape, warped);
    const metric = await kernels.lncc(fixed, warped, null, shape, 2, 0.1, force);
    for (const g of force) kernels.gaussian(g, shape, [1.7, 1.7, 1.7], g);
    // Of the forces' size: a smaller one would make a whole step of the last digit of a force near 0.
    const epsilon = 0.1 * (await kernels.maxNorm(force, n));
    await kernels.adam(force, m, v, 1, { beta1: 0.9, beta2: 0.99, epsilon, limit: 0.5 }, step);
    kernels.compose(step, u, shape, force);
    kernels.jacobian(force, shape, warped);
    const { min, max, sum } = await kernels.reduce(warped, n);
    const most = await kernels.maxNorm(force, n);
    const downloads = await Promise.all([...force, warped].map((buffer) => device.download(buffer)));
    return [...downloads, ...[metric, min, max, sum, most].map((value) => Float32Array.of(value))];
  });
}
