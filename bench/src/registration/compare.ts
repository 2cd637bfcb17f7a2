/** Engram and the anchors on the same pair, every field scored by the same code. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readField } from '@engram/formats';
import { jacobianDeterminant, registerAffine, registerDeformable, resampleLabels } from '@engram/imaging';
import { type Device, openDevice } from '@engram/kernels';
import type { Affine, DisplacementField } from '@engram/volume';
import { runAnchor } from '../anchors/anchor.ts';
import { labelDice, mean, quantile } from '../scores.ts';
import type { Case } from './cases.ts';

/** The labels that the yardstick scores (FreeSurfer numbers). */
const SCORED = [
  2, 3, 4, 7, 8, 10, 11, 12, 13, 14, 15, 16, 17, 18, 26, 28, 41, 42, 43, 46, 47, 49, 50, 51, 52, 53, 54, 58, 60,
];

export interface Scored {
  readonly subject: string;
  readonly tool: string;
  /** Of 29 labels; pairs only. */
  readonly dice: number | null;
  /** The same after the affine alone. */
  readonly affineDice: number | null;
  /** Against the known field, mm over the brain: mean and 95th percentile; heads only. */
  readonly errorMm: readonly [number, number] | null;
  readonly jacobianMin: number;
  readonly foldedVoxels: number;
  readonly inverseP95Mm: number | null;
  readonly affineCpuS: number;
  readonly deformableCpuS: number;
}

/** @param make writes the pair's files into the folder it is given. */
export async function compare(make: (folder: string) => Promise<Case>, anchors: readonly string[]): Promise<Scored[]> {
  const folder = await mkdtemp(join(tmpdir(), 'engram-registration-'));
  const device = await openDevice({ backend: 'wasm' });
  try {
    const pair = await make(folder);
    const rows: Scored[] = [];
    for (const anchor of anchors) rows.push(await anchorOn(pair, anchor, folder, device));
    rows.push(await engramOn(pair, device));
    return rows;
  } finally {
    await device.close();
    await rm(folder, { recursive: true, force: true });
  }
}

const SCRIPTS: Readonly<Record<string, string>> = { greedy: 'greedy.py', 'ANTs SyN': 'ants_syn.py' };

async function anchorOn(pair: Case, tool: string, folder: string, device: Device): Promise<Scored> {
  const { cpu_seconds: cpu } = await runAnchor(SCRIPTS[tool] ?? '', [pair.fixedFile, pair.movingFile, folder]);
  const { field } = await readField(join(folder, 'total.nii.gz'));
  return {
    ...(await score(pair, tool, field, device)),
    affineDice: tool === 'greedy' ? await affineOverlap(pair, join(folder, 'affine.nii.gz'), device) : null,
    inverseP95Mm: null,
    affineCpuS: cpu['affine'] ?? 0,
    deformableCpuS: cpu['deformable'] ?? 0,
  };
}

async function engramOn(pair: Case, device: Device): Promise<Scored> {
  const start = process.cpuUsage();
  const { matrix } = await registerAffine(pair.fixed, pair.moving, { fixedMask: pair.brain });
  const affineCpuS = seconds(process.cpuUsage(start));
  const middle = process.cpuUsage();
  const options = { initial: matrix, fixedMask: pair.brain };
  const { forward, report } = await registerDeformable(pair.fixed, pair.moving, options, device);
  const deformableCpuS = seconds(process.cpuUsage(middle));
  return {
    ...(await score(pair, 'Engram', forward, device)),
    affineDice: await overlap(pair, { matrix }, device),
    inverseP95Mm: report.inverseConsistencyMm.p95,
    affineCpuS,
    deformableCpuS,
  };
}

const seconds = ({ user, system }: NodeJS.CpuUsage): number => (user + system) / 1e6;

async function score(pair: Case, tool: string, field: DisplacementField, device: Device) {
  const { data: determinants } = await jacobianDeterminant(field, device);
  const inBrain = determinants.filter((_, at) => pair.brain.data[at] > 0);
  return {
    subject: `${pair.name}${pair.tuned ? ' (tuned on)' : ''}`,
    tool,
    dice: await overlap(pair, { field }, device),
    errorMm: pair.truth ? errorOf(field, pair.truth, pair.brain.data) : null,
    jacobianMin: inBrain.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY),
    foldedVoxels: inBrain.reduce((count, value) => count + (value > 0 ? 0 : 1), 0),
  };
}

async function affineOverlap(pair: Case, file: string, device: Device): Promise<number | null> {
  return overlap(pair, { field: (await readField(file)).field }, device);
}

async function overlap(
  { labels }: Case,
  transform: { readonly field: DisplacementField } | { readonly matrix: Affine },
  device: Device,
): Promise<number | null> {
  if (!labels) return null;
  const warped = await resampleLabels(labels.moving, labels.fixed, transform, device);
  return labelDice(warped.data, labels.fixed.data, SCORED).mean;
}

function errorOf(
  found: DisplacementField,
  truth: DisplacementField,
  brain: ArrayLike<number>,
): readonly [number, number] {
  const errors: number[] = [];
  for (let at = 0; at < brain.length; at++) {
    if (brain[at] > 0)
      errors.push(Math.hypot(found.x[at] - truth.x[at], found.y[at] - truth.y[at], found.z[at] - truth.z[at]));
  }
  return [mean(errors), quantile(errors, 0.95)];
}
