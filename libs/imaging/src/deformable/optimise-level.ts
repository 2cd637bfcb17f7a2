import { setImmediate } from 'node:timers/promises';
import type { Buffer, Device, Field, Shape } from '@engram/kernels';

export interface LevelSettings {
  readonly iterations: number;
  /** Window radius, voxels. */
  readonly radius: number;
  /** Noise floor of a window's sum of squared deviations. */
  readonly epsilon: number;
  /** Gaussian of the force and of the displacement after each step, voxels of the level. */
  readonly sigmaForce: number;
  readonly sigmaField: number;
  /** Longest step, voxels of the level. */
  readonly stepLimit: number;
  /** Share of the first iteration's largest force at which a force moves half a full step. */
  readonly forceFloor: number;
  /** The last iteration's step limit, share of the first's. */
  readonly finalStep: number;
  readonly onIteration: () => void;
  readonly signal: AbortSignal | undefined;
}

export interface LevelImages {
  readonly shape: Shape;
  readonly fixed: Buffer;
  readonly moving: Buffer;
  readonly mask: Buffer | null;
}

const BETA1 = 0.9;
const BETA2 = 0.99;
/** So that no force at all moves nothing. */
const SMALLEST = 1e-20;

/**
 * Improves `u` (voxels of the level, in place) by compositive steps uphill on local correlation; one iteration:
 * m = M o (id + u); G = Gaussian(dE/dm grad m); d = Adam(G), bounded; u <- Gaussian(d + u o (id + d)).
 * Returns the correlation before each step.
 */
export function optimiseLevel(
  device: Device,
  images: LevelImages,
  u: Field,
  settings: LevelSettings,
): Promise<number[]> {
  return device.scope(async () => {
    const { kernels } = device;
    const { shape, fixed, moving, mask } = images;
    const n = shape[0] * shape[1] * shape[2];
    const field = (): Field => [device.alloc(n), device.alloc(n), device.alloc(n)];
    const isotropic = (sigma: number) => [sigma, sigma, sigma] as const;
    const warped = device.alloc(n);
    const [force, step, mean, variance] = [field(), field(), field(), field()];
    let epsilon = 0;
    const metric: number[] = [];
    for (let iteration = 1; iteration <= settings.iterations; iteration++) {
      // The kernels' promises resolve without a turn of the event loop, in which a signal could arrive.
      await setImmediate();
      settings.signal?.throwIfAborted();
      kernels.warp(moving, u, shape, warped);
      metric.push(await kernels.lncc(fixed, warped, mask, shape, settings.radius, settings.epsilon, force));
      for (const g of force) kernels.gaussian(g, shape, isotropic(settings.sigmaForce), g);
      if (iteration === 1) epsilon = Math.max(settings.forceFloor * (await kernels.maxNorm(force, n)), SMALLEST);
      const share = (iteration - 1) / Math.max(1, settings.iterations - 1);
      const damping = 1 + share * (settings.finalStep - 1);
      const limit = settings.stepLimit * damping;
      // Smoothing adds up as variance: in step with the step, so that their balance stays.
      const sigmaField = settings.sigmaField * Math.sqrt(damping);
      await kernels.adam(force, mean, variance, iteration, { beta1: BETA1, beta2: BETA2, epsilon, limit }, step);
      kernels.compose(step, u, shape, force);
      for (const k of [0, 1, 2] as const) kernels.gaussian(force[k], shape, isotropic(sigmaField), u[k]);
      settings.onIteration();
    }
    return metric;
  });
}
