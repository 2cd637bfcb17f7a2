/**
 * PHANTOM-001, the demo's synthetic patient: sessions years apart, warped from the template by a known smooth map with
 * progressive atrophy and loss of uptake, so that every number the pipeline gives has a truth. It proves the way, not the
 * accuracy: its anatomy is the template's own.
 */
import { AAL_93, regionOfLabel } from '@engram/contracts';
import {
  type Affine,
  applyAffine,
  determinant,
  gridAtSpacing,
  invertAffine,
  type LabelVolume,
  multiplyAffines,
  type Shape3,
  type Vec3,
  type Volume,
  worldBounds,
} from '@engram/volume';
import { biasField } from './bias-field.ts';
import { addRandom, displacer, emptyField, exponential, type VectorField } from './diffeomorphism.ts';
import { addAtrophy, regionalUptake } from './disease.ts';
import { addPetNoise } from './from-labels.ts';
import { random } from './random.ts';
import { randomRigid, rigid } from './rigid.ts';
import { nearest, resample, smooth, trilinear } from './sample.ts';

export const PHANTOM_ID = 'PHANTOM-001';

/** The anatomy that patients are warped from: all on one grid. */
export interface Template {
  readonly t1: Volume;
  /** AAL values 1 to 116. */
  readonly labels: LabelVolume;
  /** Fractions of grey, white and fluid inside the brain. */
  readonly gm: Volume;
  readonly wm: Volume;
  readonly csf: Volume;
  readonly intracranialMl: number;
}

export interface SessionPlan {
  readonly sessionDate: string;
  readonly severity: number;
}

export const DEMO_SESSIONS: readonly SessionPlan[] = [
  { sessionDate: '2022-09-12', severity: 0.1 },
  { sessionDate: '2024-09-16', severity: 0.5 },
  { sessionDate: '2026-09-14', severity: 0.95 },
];

export interface PatientOptions {
  readonly sessions?: readonly SessionPlan[];
  /** T1 voxel edge in mm. Coarse by default, so that a whole session takes seconds. */
  readonly voxelMm?: number;
  readonly petVoxelMm?: number;
  readonly frames?: number;
  readonly noise?: number;
  readonly biasSd?: number;
  readonly seed?: number;
}

export interface SessionTruth {
  /** RAS mm of the T1 → RAS mm of the template, the linear part of the map. */
  readonly affine: Affine;
  /** Template label in each T1 voxel's centre. */
  readonly labels: LabelVolume;
  /** Fraction of grey matter in each T1 voxel. */
  readonly gm: Volume;
  /** Σ fraction of grey × volume over each of the 93 regions, mm³. */
  readonly gmMm3: readonly number[];
  /** Mean SUVR of each of the 93 regions after the PET's point spread, reference whole cerebellum. */
  readonly suvr: readonly number[];
  readonly headSizeMl: number;
  /** RAS mm of the T1 → RAS mm of the first PET frame. */
  readonly t1ToPet: Affine;
}

export interface PhantomSession {
  readonly patientId: string;
  readonly sessionDate: string;
  readonly severity: number;
  readonly t1: Volume;
  /** Bq/mL, x, y, z, frame. */
  readonly pet: Volume;
  readonly tracer: string;
  readonly frameSeconds: readonly number[];
  readonly frameStarts: readonly number[];
  readonly truth: SessionTruth;
}

const PSF_FWHM_MM = 6;
const FRAME_SECONDS = 300;
/** FDG is imaged from 30 minutes after injection. */
const FIRST_FRAME_START = 1800;
const HEAD_SCALE: Vec3 = [1.08, 1.05, 1.07];

/** One session after another, so that a caller may write each before the next is made. */
export function* phantomPatient(template: Template, options: PatientOptions = {}): Generator<PhantomSession> {
  for (const plan of options.sessions ?? DEMO_SESSIONS) yield phantomSession(template, plan, options);
}

export function phantomSession(
  template: Template,
  { sessionDate, severity }: SessionPlan,
  options: PatientOptions = {},
): PhantomSession {
  const { voxelMm = 3.5, petVoxelMm = 4, frames = 4, noise = 0.02, biasSd = 0.1, seed = 1 } = options;
  // The body's anatomy comes from the patient's seed, noise and position on the table from the visit's.
  const visit = random(seed * 7919 + Math.round(severity * 1000));
  const map = patientToTemplate(template, severity, seed);
  const grid = nativeGrid(template, map.affine, voxelMm, visit);
  const sampled = sampleTemplate(template, map.through, grid, severity);

  const bias = biasField(grid.shape, biasSd, visit);
  const white = 110;
  const t1: Volume = {
    ...grid,
    frames: 1,
    data: sampled.t1.map((value, at) => Math.max(0, value * bias[at] + visit.normal() * noise * white)),
  };

  const sigma = PSF_FWHM_MM / 2.3548 / voxelMm;
  const activity = smooth(sampled.activity, grid.shape, [sigma, sigma, sigma]);
  const centre = applyAffine(grid.affine, [grid.shape[0] / 2, grid.shape[1] / 2, grid.shape[2] / 2]);
  const t1ToPet = randomRigid(visit, 7, 7, centre);
  const petGrid = gridAtSpacing(grid, petVoxelMm);
  const voxels = petGrid.shape[0] * petGrid.shape[1] * petGrid.shape[2];
  const pet = new Float32Array(voxels * frames);
  for (let frame = 0; frame < frames; frame++) {
    const moved = frame === 0 ? t1ToPet : multiplyAffines(randomRigid(visit, 1.5, 1.5, centre), t1ToPet);
    const signal = resample({ ...grid, data: activity }, petGrid, invertAffine(moved));
    pet.set(addPetNoise(signal, petGrid.shape, 0.08, visit), frame * voxels);
  }

  return {
    patientId: PHANTOM_ID,
    sessionDate,
    severity,
    t1,
    pet: { ...petGrid, frames, data: pet },
    tracer: 'fdg',
    frameSeconds: Array.from({ length: frames }, () => FRAME_SECONDS),
    frameStarts: Array.from({ length: frames }, (_, frame) => FIRST_FRAME_START + frame * FRAME_SECONDS),
    truth: {
      affine: map.affine,
      labels: { ...grid, data: sampled.labels },
      gm: { ...grid, frames: 1, data: sampled.gm },
      gmMm3: sampled.gmMm3,
      suvr: regionalSuvr(template, map.through, grid, activity),
      headSizeMl: template.intracranialMl / Math.abs(determinant(map.affine)),
      t1ToPet,
    },
  };
}

interface Grid {
  readonly shape: Shape3;
  readonly affine: Affine;
}

/** x ↦ exp(v)(A x): A sizes and turns the head, v holds the person's own shape and, with severity, the atrophy. */
function patientToTemplate(template: Template, severity: number, seed: number) {
  const person = random(seed);
  const { min, max } = worldBounds(template.t1);
  const velocity: VectorField = emptyField(min, max, 5);
  addRandom(velocity, 4, 22, person);
  addAtrophy(velocity, template.labels, severity);
  const [sx, sy, sz] = HEAD_SCALE;
  const scale: Affine = [sx, 0, 0, 0, 0, sy, 0, 0, 0, 0, sz, 0, 0, 0, 0, 1];
  const affine = multiplyAffines(scale, rigid([4, -3, 5], [2, -3, 4]));
  const displace = displacer(exponential(velocity));
  return { affine, through: (p: Vec3): Vec3 => displace(applyAffine(affine, p)) };
}

/** The scanner's grid over the head: slightly oblique, as a technician's box is. */
function nativeGrid(template: Template, affine: Affine, voxelMm: number, visit: ReturnType<typeof random>): Grid {
  const inverse = invertAffine(affine);
  const centre = applyAffine(
    inverse,
    applyAffine(template.t1.affine, [
      (template.t1.shape[0] - 1) / 2,
      (template.t1.shape[1] - 1) / 2,
      (template.t1.shape[2] - 1) / 2,
    ]),
  );
  const { min, max } = worldBounds(template.t1);
  const extent = ([0, 1, 2] as const).map((k) => (max[k] - min[k]) / HEAD_SCALE[k]);
  const n = (k: 0 | 1 | 2) => Math.ceil(extent[k] / voxelMm) + 2;
  const shape: Shape3 = [n(0), n(1), n(2)];
  const straight: Affine = [
    voxelMm,
    0,
    0,
    centre[0] - ((shape[0] - 1) / 2) * voxelMm,
    0,
    voxelMm,
    0,
    centre[1] - ((shape[1] - 1) / 2) * voxelMm,
    0,
    0,
    voxelMm,
    centre[2] - ((shape[2] - 1) / 2) * voxelMm,
    0,
    0,
    0,
    1,
  ];
  return { shape, affine: multiplyAffines(randomRigid(visit, 5, 2, centre), straight) };
}

/** Calls `visit` for points spread evenly over each voxel, about 1.5 mm apart, as template voxel coordinates. */
function forEachSample(
  template: Template,
  through: (p: Vec3) => Vec3,
  grid: Grid,
  visit: (voxel: number, x: number, y: number, z: number, at: Vec3) => void,
): number {
  const toVoxel = invertAffine(template.t1.affine);
  const steps = Math.max(1, Math.ceil(Math.cbrt(Math.abs(determinant(grid.affine))) / 1.5));
  const offsets = Array.from({ length: steps }, (_, k) => (k + 0.5) / steps - 0.5);
  const [nx, ny, nz] = grid.shape;
  let voxel = 0;
  for (let k = 0; k < nz; k++)
    for (let j = 0; j < ny; j++)
      for (let i = 0; i < nx; i++, voxel++)
        for (const dz of offsets)
          for (const dy of offsets)
            for (const dx of offsets) {
              const at: Vec3 = [i + dx, j + dy, k + dz];
              const [x, y, z] = applyAffine(toVoxel, through(applyAffine(grid.affine, at)));
              visit(voxel, x, y, z, at);
            }
  return steps ** 3;
}

/** Uptake outside the brain, for voxels that are head at all. */
const HEAD_UPTAKE = 0.15;
const HEAD_THRESHOLD = 25;

function sampleTemplate(template: Template, through: (p: Vec3) => Vec3, grid: Grid, severity: number) {
  const { t1, labels, gm, wm, csf } = template;
  const length = grid.shape[0] * grid.shape[1] * grid.shape[2];
  const out = {
    t1: new Float32Array(length),
    gm: new Float32Array(length),
    activity: new Float32Array(length),
    labels: new Uint16Array(length),
    gmMm3: new Array<number>(AAL_93.regions.length).fill(0),
  };
  const uptake = regionalUptake(severity);
  const voxelMm3 = Math.abs(determinant(grid.affine));
  const perVoxel = forEachSample(template, through, grid, (voxel, x, y, z) => {
    const intensity = trilinear(t1.data, t1.shape, x, y, z, 0);
    const g = trilinear(gm.data, t1.shape, x, y, z, 0);
    const w = trilinear(wm.data, t1.shape, x, y, z, 0);
    const c = trilinear(csf.data, t1.shape, x, y, z, 0);
    const region = regionOfLabel[nearest(labels.data, t1.shape, x, y, z, 0)];
    out.t1[voxel] += intensity;
    out.gm[voxel] += g;
    const outside = intensity > HEAD_THRESHOLD ? Math.max(0, 1 - g - w - c) * HEAD_UPTAKE : 0;
    out.activity[voxel] += g * (region < 0 ? 1 : uptake[region]) + w * 0.4 + c * 0.08 + outside;
    if (region >= 0) out.gmMm3[region] += g;
  });
  for (let at = 0; at < length; at++) {
    out.t1[at] /= perVoxel;
    out.gm[at] /= perVoxel;
    out.activity[at] /= perVoxel;
  }
  out.gmMm3 = out.gmMm3.map((sum) => (sum * voxelMm3) / perVoxel);
  const [nx, ny, nz] = grid.shape;
  const toVoxel = invertAffine(t1.affine);
  let at = 0;
  for (let k = 0; k < nz; k++)
    for (let j = 0; j < ny; j++)
      for (let i = 0; i < nx; i++) {
        const [x, y, z] = applyAffine(toVoxel, through(applyAffine(grid.affine, [i, j, k])));
        out.labels[at++] = nearest(labels.data, t1.shape, x, y, z, 0);
      }
  return out;
}

function regionalSuvr(
  template: Template,
  through: (p: Vec3) => Vec3,
  grid: Grid,
  activity: Float32Array,
): readonly number[] {
  const sums = new Float64Array(AAL_93.regions.length);
  const counts = new Float64Array(AAL_93.regions.length);
  forEachSample(template, through, grid, (_, x, y, z, [i, j, k]) => {
    const region = regionOfLabel[nearest(template.labels.data, template.t1.shape, x, y, z, 0)];
    if (region < 0) return;
    const clamp = (value: number, n: number) => Math.min(n - 1, Math.max(0, value));
    const [nx, ny, nz] = grid.shape;
    sums[region] += trilinear(activity, grid.shape, clamp(i, nx), clamp(j, ny), clamp(k, nz), 0);
    counts[region]++;
  });
  const reference = (sums[90] + sums[91] + sums[92]) / (counts[90] + counts[91] + counts[92]);
  return Array.from(sums, (sum, region) => sum / counts[region] / reference);
}
