/**
 * Region groups: 93 volumes and 93 SUVRs are more than a cohort of a thousand people can support, so a forecast reads a
 * few anatomical sums. The cerebellar regions take no part: as PET reference they are 1 by construction.
 */
import { AAL_93, CONSTANT_PET_REGIONS } from '@engram/contracts';

export const MRI_GROUPS = [
  'hippocampus',
  'parahippocampal',
  'amygdala',
  'fusiform',
  'lateral_temporal',
  'posterior_midline',
  'parietal',
  'frontal',
  'occipital',
  'sensorimotor',
  'deep_grey',
  'ventricles',
] as const;
export type MriGroup = (typeof MRI_GROUPS)[number];
type CorticalGroup = Exclude<MriGroup, 'ventricles'>;

const STEMS: Readonly<Record<CorticalGroup, readonly string[]>> = {
  hippocampus: ['Hippocampus'],
  parahippocampal: ['ParaHippocampal'],
  amygdala: ['Amygdala'],
  fusiform: ['Fusiform'],
  lateral_temporal: [
    'Heschl',
    'Temporal_Sup',
    'Temporal_Pole_Sup',
    'Temporal_Mid',
    'Temporal_Pole_Mid',
    'Temporal_Inf',
  ],
  posterior_midline: ['Cingulum_Post', 'Precuneus'],
  parietal: ['Parietal_Sup', 'Parietal_Inf', 'SupraMarginal', 'Angular'],
  frontal: [
    'Frontal_Sup',
    'Frontal_Sup_Orb',
    'Frontal_Mid',
    'Frontal_Mid_Orb',
    'Frontal_Inf_Oper',
    'Frontal_Inf_Tri',
    'Frontal_Inf_Orb',
    'Frontal_Sup_Medial',
    'Frontal_Med_Orb',
    'Rectus',
    'Olfactory',
    'Insula',
    'Cingulum_Ant',
    'Cingulum_Mid',
  ],
  occipital: ['Calcarine', 'Cuneus', 'Lingual', 'Occipital_Sup', 'Occipital_Mid', 'Occipital_Inf'],
  sensorimotor: ['Precentral', 'Rolandic_Oper', 'Supp_Motor_Area', 'Postcentral', 'Paracentral_Lobule'],
  deep_grey: ['Caudate', 'Putamen', 'Pallidum', 'Thalamus'],
};

/** Regions hypometabolic early in Alzheimer's disease (after Landau 2011, Neurobiol Aging 32:1207), and two controls. */
const FDG_STEMS = {
  posterior_midline: ['Cingulum_Post', 'Precuneus'],
  temporo_parietal: ['Angular', 'Parietal_Inf', 'SupraMarginal', 'Temporal_Mid', 'Temporal_Inf'],
  spared: ['Precentral', 'Postcentral', 'Calcarine'],
} as const;
export const FDG_GROUPS = ['posterior_midline', 'temporo_parietal', 'spared'] as const;
export type FdgGroup = (typeof FDG_GROUPS)[number];

/** Cortical composite of amyloid PET: frontal, cingulate, lateral parietal, lateral temporal (after Landau 2012). */
const AMYLOID_STEMS = [
  ...STEMS.frontal,
  'Cingulum_Post',
  'Precuneus',
  ...STEMS.parietal,
  'Temporal_Sup',
  'Temporal_Mid',
  'Temporal_Inf',
];

const constant: readonly string[] = CONSTANT_PET_REGIONS;
const indicesOf = (stems: readonly string[]): readonly number[] =>
  AAL_93.regions
    .filter((region) => !constant.includes(region.name) && stems.includes(region.name.replace(/_[LR]$/, '')))
    .map((region) => region.index);

/** Positions in a 93-vector by group. */
export const mriGroupIndices: Readonly<Record<CorticalGroup, readonly number[]>> = {
  hippocampus: indicesOf(STEMS.hippocampus),
  parahippocampal: indicesOf(STEMS.parahippocampal),
  amygdala: indicesOf(STEMS.amygdala),
  fusiform: indicesOf(STEMS.fusiform),
  lateral_temporal: indicesOf(STEMS.lateral_temporal),
  posterior_midline: indicesOf(STEMS.posterior_midline),
  parietal: indicesOf(STEMS.parietal),
  frontal: indicesOf(STEMS.frontal),
  occipital: indicesOf(STEMS.occipital),
  sensorimotor: indicesOf(STEMS.sensorimotor),
  deep_grey: indicesOf(STEMS.deep_grey),
};
export const fdgGroupIndices: Readonly<Record<FdgGroup, readonly number[]>> = {
  posterior_midline: indicesOf(FDG_STEMS.posterior_midline),
  temporo_parietal: indicesOf(FDG_STEMS.temporo_parietal),
  spared: indicesOf(FDG_STEMS.spared),
};
export const amyloidIndices = indicesOf(AMYLOID_STEMS);

/**
 * Grey-matter volume of each group in a head of 1500 ml, ml: only the origin of the scale. The simulation varies every
 * pipeline's offset around it, because another atlas or segmentation shifts it.
 */
export const REFERENCE_ML: Readonly<Record<MriGroup, number>> = {
  hippocampus: 9,
  parahippocampal: 10,
  amygdala: 2.6,
  fusiform: 22,
  lateral_temporal: 100,
  posterior_midline: 32,
  parietal: 52,
  frontal: 165,
  occipital: 78,
  sensorimotor: 72,
  deep_grey: 32,
  ventricles: 34,
};
const REFERENCE_HEAD_ML = 1500;

/** ln((volume / head size) / (reference volume / 1500 ml)) by group, in the order of MRI_GROUPS. */
export function mriGroupRatios(volumesMm3: readonly number[], headSizeMl: number, ventriclesMl: number): number[] {
  return MRI_GROUPS.map((group) => {
    const ml =
      group === 'ventricles'
        ? ventriclesMl
        : mriGroupIndices[group].reduce((sum, k) => sum + (volumesMm3[k] ?? Number.NaN), 0) / 1000;
    return Math.log(Math.max(ml, 1e-3) / headSizeMl / (REFERENCE_ML[group] / REFERENCE_HEAD_ML));
  });
}

const mean = (values: readonly number[], indices: readonly number[]): number =>
  indices.reduce((sum, k) => sum + (values[k] ?? Number.NaN), 0) / indices.length;

/** Mean SUVR by group, in the order of FDG_GROUPS. */
export const fdgGroupMeans = (suvr: readonly number[]): number[] =>
  FDG_GROUPS.map((group) => mean(suvr, fdgGroupIndices[group]));

/** Mean SUVR of the amyloid composite. */
export const amyloidMean = (suvr: readonly number[]): number => mean(suvr, amyloidIndices);

const AMYLOID_TRACERS = ['florbetapir', 'av45', 'florbetaben', 'flutemetamol', 'pib', 'pittsburgh', 'nav4694'];
const FDG_TRACERS = ['fdg', 'fludeoxyglucose', 'fluorodeoxyglucose'];

/** Which block of the model a tracer feeds; a tracer the model does not know is masked, never guessed. */
export function tracerKind(tracer: string | null): 'fdg' | 'amyloid' | 'unknown' {
  const name = (tracer ?? '').toLowerCase().replaceAll(/[^a-z0-9]/g, '');
  if (FDG_TRACERS.some((each) => name.includes(each))) return 'fdg';
  return AMYLOID_TRACERS.some((each) => name.includes(each)) ? 'amyloid' : 'unknown';
}
