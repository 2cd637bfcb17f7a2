/** `engram register`: one image onto another, with everything needed to use and judge the result. */
import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { type RegisterReport, registerReport } from '@engram/contracts';
import { EngramError } from '@engram/errors';
import { readLabels, readNifti, writeField, writeItkAffine, writeNifti } from '@engram/formats';
import {
  composeAffineField,
  inverseConsistency,
  jacobianDeterminant,
  registerAffine,
  registerDeformable,
  registerRigid,
  resample,
  resampleLabels,
} from '@engram/imaging';
import { type Device, openDevice } from '@engram/kernels';
import { VERSION } from '@engram/service';
import {
  type Affine,
  type DisplacementField,
  type Grid,
  invertAffine,
  type MaskVolume,
  type Volume,
} from '@engram/volume';
import type { Command } from 'commander';
import { type DeviceFlags, deviceOptions } from '../device-options.ts';
import { progressOn, speak } from '../output.ts';

interface Options extends DeviceFlags {
  readonly fixed: string;
  readonly moving: string;
  readonly out: string;
  readonly transform: string;
  readonly labels?: string;
  readonly seed: string;
  readonly json?: boolean;
}

interface Found {
  /** RAS mm of the fixed image → RAS mm of the moving image: the linear part. */
  readonly matrix: Affine;
  /** Total displacements, the linear part included. */
  readonly forward: DisplacementField;
  readonly inverse: DisplacementField;
}

/** An image with this share of exact zeros has had its background taken away: what is left is compared. */
const STRIPPED = 0.2;

async function register(options: Options): Promise<RegisterReport> {
  const started = performance.now();
  const progress = progressOn();
  const transform = options.transform;
  if (transform !== 'rigid' && transform !== 'affine' && transform !== 'deformable')
    throw new EngramError('REQUEST_INVALID', `--transform ${transform} is none of rigid, affine, deformable`, {
      field: 'transform',
    });
  const seed = Number(options.seed);
  const fixed = await readNifti(options.fixed);
  const moving = await readNifti(options.moving);
  for (const [{ volume }, path] of [
    [fixed, options.fixed],
    [moving, options.moving],
  ] as const)
    if (volume.frames !== 1)
      throw new EngramError(
        'IMAGE_DIMENSIONS',
        `${basename(path)}: registration takes one frame, not ${volume.frames}`,
        {
          file: basename(path),
        },
      );
  const labels = options.labels === undefined ? undefined : (await readLabels(options.labels)).labels;
  const device = await openDevice(await deviceOptions(options));
  try {
    const mask = strippedMask(fixed.volume);
    const report = (fraction: number) =>
      progress.update(`${String(Math.floor(100 * fraction)).padStart(3)} % ${transform}`);
    const found = await align(fixed.volume, moving.volume, transform, seed, mask, device, report);
    progress.done();

    const out = resolve(options.out);
    await mkdir(out, { recursive: true });
    const like = { like: fixed.header };
    const warped = await resample(moving.volume, fixed.volume, { field: found.forward }, device);
    await writeFile(join(out, 'warped.nii.gz'), writeNifti(warped, like));
    if (labels) {
      const carried = await resampleLabels(labels, fixed.volume, { field: found.forward }, device);
      await writeFile(join(out, 'labels.nii.gz'), writeNifti(carried, like));
    }
    await writeFile(join(out, 'affine.txt'), writeItkAffine(found.matrix));
    await writeFile(join(out, 'field.nii.gz'), writeField(found.forward, like));
    await writeFile(join(out, 'inverse_field.nii.gz'), writeField(found.inverse, { like: moving.header }));

    const determinants = (await jacobianDeterminant(found.forward, device)).data;
    const { mean, p95, max } = await inverseConsistency(found.forward, found.inverse, mask, device);
    const { user, system } = process.cpuUsage();
    const result = registerReport.parse({
      cpu_seconds: (user + system) / 1e6,
      wall_seconds: (performance.now() - started) / 1000,
      peak_memory_mb: process.resourceUsage().maxRSS / 1024,
      jacobian_min: determinants.reduce((least, value) => Math.min(least, value), Infinity),
      folded_voxels: determinants.reduce((count, value) => count + (value > 0 ? 0 : 1), 0),
      inverse_consistency_mm: { mean, p95, max },
      device: device.info.name,
      seed,
      version: VERSION,
    } satisfies RegisterReport);
    await writeFile(join(out, 'report.json'), `${JSON.stringify(result, null, 2)}\n`);
    return result;
  } finally {
    progress.done();
    await device.close();
  }
}

async function align(
  fixed: Volume,
  moving: Volume,
  transform: 'rigid' | 'affine' | 'deformable',
  seed: number,
  mask: MaskVolume | undefined,
  device: Device,
  onProgress: (fraction: number) => void,
): Promise<Found> {
  const linear = transform === 'rigid' ? registerRigid : registerAffine;
  const share = transform === 'deformable' ? 0.3 : 0.9;
  const { matrix } = await linear(fixed, moving, { seed, onProgress: (fraction) => onProgress(share * fraction) });
  if (transform !== 'deformable') {
    const field = (grid: Grid, map: Affine) => {
      const zero = new Float32Array(grid.shape[0] * grid.shape[1] * grid.shape[2]);
      return composeAffineField(grid, [zero, zero, zero], map);
    };
    return { matrix, forward: field(fixed, matrix), inverse: field(moving, invertAffine(matrix)) };
  }
  const { forward, inverse } = await registerDeformable(
    fixed,
    moving,
    {
      initial: matrix,
      ...(mask ? { fixedMask: mask } : {}),
      onProgress: (fraction) => onProgress(share + (1 - share) * fraction),
    },
    device,
  );
  return { matrix, forward, inverse };
}

function strippedMask({ shape, affine, data }: Volume): MaskVolume | undefined {
  const inside = new Uint8Array(data.length);
  let zeros = 0;
  for (let at = 0; at < data.length; at++) {
    if (data[at] === 0) zeros++;
    inside[at] = data[at] > 0 ? 1 : 0;
  }
  return zeros >= STRIPPED * data.length ? { shape, affine, data: inside } : undefined;
}

export function registerCommand(program: Command): void {
  program
    .command('register')
    .description('one image onto another: rigid, affine or deformable')
    .requiredOption('--fixed <path>', 'NIfTI image that stays')
    .requiredOption('--moving <path>', 'NIfTI image that is brought onto it')
    .requiredOption('--out <dir>', 'folder for the results')
    .option('--transform <kind>', 'rigid, affine or deformable', 'deformable')
    .option('--labels <path>', 'label map on the moving image, carried along by the nearest voxel')
    .option('--seed <n>', 'of the sample points', '1')
    .option('--device <name>', 'auto, cpu, gpu or a backend', 'auto')
    .option('--threads <n>', 'threads of a CPU device')
    .option('--json', 'print the report as one JSON object')
    .action((options: Options) =>
      speak(options, async () => {
        const report = await register(options);
        if (!options.json)
          process.stdout.write(
            `${[
              `least Jacobian ${report.jacobian_min.toFixed(3)}, folded voxels ${report.folded_voxels}`,
              `inverse consistency mean ${report.inverse_consistency_mm.mean.toFixed(3)}, p95 ${report.inverse_consistency_mm.p95.toFixed(3)}, max ${report.inverse_consistency_mm.max.toFixed(3)} mm`,
              `${report.wall_seconds.toFixed(1)} s, ${report.cpu_seconds.toFixed(1)} CPU s, ${report.peak_memory_mb.toFixed(0)} MB on ${report.device}`,
              resolve(options.out),
            ].join('\n')}\n`,
          );
        return report;
      }),
    );
}
