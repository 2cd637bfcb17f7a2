import type { Device, Field, Shape } from '@engram/kernels';
import { type LevelImages, type LevelSettings, optimiseLevel } from './optimise-level.ts';
import { refineField } from './refine-field.ts';

export interface PyramidOptions {
  /** Coarsest level first; each is twice as fine as the one before, the last is the working grid. Default 60, 30, 12. */
  readonly iterations?: readonly number[];
  /** Window radius, voxels of the level. Default 2. */
  readonly radius?: number;
  /** Standard deviation below which a window holds noise, share of the 99th percentile. Default 0.005. */
  readonly noiseFloor?: number;
  /** Smoothing of the force and of the field after each step, voxels of the level. Defaults 2 and 0.85. */
  readonly sigmaForce?: number;
  readonly sigmaField?: number;
  /** Longest step, voxels of the level. Default 0.5. */
  readonly stepLimit?: number;
  /** Share of a level's largest first force at which a force moves half a full step. Default 0.05. */
  readonly forceFloor?: number;
  /** Step limit of a level's last iteration, share of its first. Default 0.3. */
  readonly finalStep?: number;
}

export interface LevelReport {
  /** Voxels of the working grid along one of the level's. */
  readonly factor: number;
  readonly iterations: number;
  /** Mean local correlation before the first and the last step. */
  readonly first: number;
  readonly last: number;
}

export interface PyramidResult {
  /** Voxels of the finest level. */
  readonly u: Field;
  readonly metric: readonly number[];
  readonly convergence: readonly LevelReport[];
}

/** The window's radius and the noise floor of its sums. */
export function windowOf({
  radius = 2,
  noiseFloor = 0.005,
}: PyramidOptions): Pick<LevelSettings, 'radius' | 'epsilon'> {
  return { radius, epsilon: (2 * radius + 1) ** 3 * noiseFloor ** 2 };
}

/** Coarse to fine from no displacement. `onProgress` gets shares of the work done. */
export function optimisePyramid(
  device: Device,
  finest: LevelImages,
  options: PyramidOptions,
  signal: AbortSignal | undefined,
  onProgress: (fraction: number) => void,
): Promise<PyramidResult> {
  const { iterations = [60, 30, 12] } = options;
  const levels = iterations.map((count, i) => ({ count, factor: 2 ** (iterations.length - 1 - i) }));
  const work = levels.reduce((sum, { count, factor }) => sum + count / factor ** 3, 0);
  return device.scope(async () => {
    let done = 0;
    const metric: number[] = [];
    const convergence: LevelReport[] = [];
    let u = zeroField(device, [0, 0, 0]);
    let shape: Shape = [0, 0, 0];
    for (const { count, factor } of levels) {
      const images = coarser(device, finest, factor);
      const next = metric.length > 0 ? refineField(device, u, shape, images.shape) : zeroField(device, images.shape);
      for (const buffer of u) buffer.dispose();
      [u, shape] = [next, images.shape];
      const found = await optimiseLevel(device, images, u, {
        iterations: count,
        ...windowOf(options),
        sigmaForce: options.sigmaForce ?? 2,
        sigmaField: options.sigmaField ?? 0.85,
        stepLimit: options.stepLimit ?? 0.5,
        forceFloor: options.forceFloor ?? 0.05,
        finalStep: options.finalStep ?? 0.3,
        signal,
        onIteration: () => {
          done += 1 / factor ** 3;
          onProgress(done / work);
        },
      });
      if (factor > 1) for (const buffer of [images.fixed, images.moving, images.mask]) buffer?.dispose();
      metric.push(...found);
      convergence.push({ factor, iterations: count, first: found[0] ?? 0, last: found.at(-1) ?? 0 });
    }
    return { u, metric, convergence };
  });
}

function zeroField(device: Device, [nx, ny, nz]: Shape): Field {
  const n = nx * ny * nz;
  return [device.alloc(n), device.alloc(n), device.alloc(n)];
}

function coarser(device: Device, images: LevelImages, factor: number): LevelImages {
  if (factor === 1) return images;
  const shape: Shape = [
    Math.ceil(images.shape[0] / factor),
    Math.ceil(images.shape[1] / factor),
    Math.ceil(images.shape[2] / factor),
  ];
  const down = (buffer: LevelImages['fixed']) => {
    const output = device.alloc(shape[0] * shape[1] * shape[2]);
    device.kernels.downsample(buffer, images.shape, factor, output);
    return output;
  };
  return { shape, fixed: down(images.fixed), moving: down(images.moving), mask: images.mask && down(images.mask) };
}
