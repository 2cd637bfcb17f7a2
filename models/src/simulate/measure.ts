/** What an examination would have read off a course: scores with their measurement error, regional volumes and SUVRs. */
import { AAL_93, CONSTANT_PET_REGIONS, type Score } from '@engram/contracts';
import {
  amyloidMean,
  fdgGroupIndices,
  fdgGroupMeans,
  MRI_GROUPS,
  type MriGroup,
  mriGroupIndices,
  mriGroupRatios,
  REFERENCE_ML,
} from '../inputs/region-groups.ts';
import type { Random } from '../random.ts';
import { type Course, STEPS_PER_YEAR } from './course.ts';
import type { Person } from './person.ts';

const at = (values: Float64Array, years: number): number =>
  values[Math.min(values.length - 1, Math.max(0, Math.round(years * STEPS_PER_YEAR)))] ?? Number.NaN;

/** Noise SD by severity: normal 1.24, MCI 1.62, dementia 2.01 for MMSE; 2.93, 3.31, 3.71 for ADAS-Cog 13. */
const noiseOf = (boxes: number, normal: number, impaired: number, dementia: number): number =>
  boxes < 0.5 ? normal : boxes < 4 ? impaired : dementia;

const clamp = (value: number, low: number, high: number): number => Math.max(low, Math.min(high, value));
const halves = (value: number): number => Math.round(value * 2) / 2;

/**
 * CDR global from the sum of boxes by O'Bryant 2008 (Arch Neurol 65:1091), with a fuzzy border because the global score
 * is driven by memory: the sum of boxes does not determine it.
 */
function globalOf(boxes: number, random: Random): number {
  if (boxes === 0) return 0;
  if (boxes === 0.5 && random.chance(0.5)) return 0;
  const felt = boxes + random.normal(0, 0.5);
  return felt < 4.25 ? 0.5 : felt < 9.25 ? 1 : felt < 15.75 ? 2 : 3;
}

/** The scores of one examination, `years` after entry. */
export function measureScores(course: Course, years: number, random: Random): Record<Score, number> {
  const boxes = at(course.boxes, years);
  // Near zero the residual SD of 0.377 (Delor) would score healthy people as impaired: it grows with severity up to it.
  const scored = clamp(halves(boxes + random.normal(0, Math.min(0.6, 0.12 + 0.25 * boxes))), 0, 18);
  return {
    mmse: clamp(Math.round(at(course.mmse, years) + random.normal(0, noiseOf(boxes, 1.1, 1.5, 1.9))), 0, 30),
    cdr_sob: scored,
    cdr_global: globalOf(scored, random),
    adas_cog: clamp(
      Math.round((at(course.adas, years) + random.normal(0, noiseOf(boxes, 2.8, 3.2, 3.6))) * 3) / 3,
      0,
      85,
    ),
  };
}

/** Loss by group relative to the hippocampus, and loss per year of age in log units. */
const ATROPHY: Readonly<Record<MriGroup, readonly [disease: number, perYear: number]>> = {
  hippocampus: [1, 0.008],
  parahippocampal: [1.05, 0.007],
  amygdala: [1, 0.007],
  fusiform: [0.85, 0.006],
  lateral_temporal: [0.8, 0.006],
  posterior_midline: [0.7, 0.005],
  parietal: [0.6, 0.005],
  frontal: [0.45, 0.006],
  occipital: [0.35, 0.004],
  sensorimotor: [0.2, 0.004],
  deep_grey: [0.3, 0.004],
  ventricles: [-1.6, -0.03],
};

/** What stays with a person and the pipeline that measured them: the same on every visit. */
export interface Anatomy {
  /** Log offsets by group: the person's own anatomy plus the pipeline's systematic offset. */
  readonly mri: readonly number[];
  readonly fdg: number;
  readonly amyloid: number;
}

export function drawAnatomy(person: Person, random: Random): Anatomy {
  // Another atlas, scanner or segmentation shifts all volumes together by a fifth: only their relation can be relied on.
  const pipeline = random.normal(0, 0.2);
  return {
    mri: MRI_GROUPS.map((group) =>
      group === 'ventricles' ? random.normal(0, 0.4) : pipeline + random.normal(0, 0.06) + random.normal(0, 0.08),
    ),
    fdg: random.normal(0, 0.1),
    amyloid: person.amyloidPositive ? random.normal(1.38, 0.17) : random.normal(1.03, 0.06),
  };
}

/** 93 volumes in mm³, head size and ventricles in ml, then summed into groups by the code that serves forecasts. */
export function measureMri(person: Person, course: Course, anatomy: Anatomy, years: number, random: Random): number[] {
  const atrophy = at(course.atrophy, years);
  const age = person.ageAtEntry + years - 72;
  const volumes = new Array<number>(93).fill(0);
  let ventricles = 0;
  MRI_GROUPS.forEach((group, k) => {
    const [disease, perYear] = ATROPHY[group];
    const log =
      Math.log((REFERENCE_ML[group] * person.headMl) / 1500) -
      disease * atrophy -
      perYear * age +
      (anatomy.mri[k] ?? 0);
    if (group === 'ventricles') {
      ventricles = Math.exp(log + random.normal(0, 0.02));
      return;
    }
    const indices = mriGroupIndices[group];
    for (const index of indices) {
      volumes[index] = (1000 * Math.exp(log + random.normal(0, 0.02))) / indices.length;
    }
  });
  return mriGroupRatios(volumes, person.headMl * Math.exp(random.normal(0, 0.01)), ventricles);
}

const constant: readonly string[] = CONSTANT_PET_REGIONS;
const isConstant = AAL_93.regions.map((region) => constant.includes(region.name));
const suvr = (value: (index: number) => number): number[] => isConstant.map((fixed, k) => (fixed ? 1 : value(k)));

/** FDG: the meta-region is 1.31 in normals and falls with atrophy to about 1.06 in dementia (published means). */
export function measureFdg(course: Course, anatomy: Anatomy, years: number, random: Random): number[] {
  const atrophy = at(course.atrophy, years);
  const early = new Set([...fdgGroupIndices.posterior_midline, ...fdgGroupIndices.temporo_parietal]);
  return fdgGroupMeans(
    suvr((k) => (early.has(k) ? 1.33 - 0.95 * atrophy : 1.28 - 0.25 * atrophy) + anatomy.fdg + random.normal(0, 0.04)),
  );
}

export function measureAmyloid(person: Person, anatomy: Anatomy, years: number, random: Random): number[] {
  const gain = person.amyloidPositive ? 0.015 * years : 0;
  return [amyloidMean(suvr(() => anatomy.amyloid + gain + random.normal(0, 0.04)))];
}
