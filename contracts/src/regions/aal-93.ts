/**
 * The 93 regions, version 1: what a position in `mri_roi_features` and `pet_roi_features` means. AAL's 90 cerebral
 * regions in AAL's order, then left cerebellum, right cerebellum, vermis. A changed order, name or label is a new version.
 *
 * Source: Tzourio-Mazoyer N et al., "Automated anatomical labeling of activations in SPM using a macroscopic anatomical
 * parcellation of the MNI MRI single-subject brain", NeuroImage 15:273-289, 2002. Label values as in MRIcron's aal.nii.
 */

export interface Region {
  /** Position in a feature vector, 0 to 92. */
  readonly index: number;
  /** AAL name, such as Hippocampus_L. */
  readonly name: string;
  /** Values of the AAL image that make up the region. */
  readonly labels: readonly number[];
  readonly side: 'left' | 'right' | 'midline';
}

export interface RegionList {
  /** Name and version. */
  readonly id: string;
  /** Of the canonical JSON of `[[name, labels], …]`, checked by a test. */
  readonly sha256: string;
  readonly source: string;
  readonly units: { readonly mri: 'mm3'; readonly pet: 'SUVR' };
  readonly regions: readonly Region[];
}

/** AAL's cerebral regions: label 2k+1 is the left one, 2k+2 the right one of entry k. */
const CEREBRAL = [
  'Precentral',
  'Frontal_Sup',
  'Frontal_Sup_Orb',
  'Frontal_Mid',
  'Frontal_Mid_Orb',
  'Frontal_Inf_Oper',
  'Frontal_Inf_Tri',
  'Frontal_Inf_Orb',
  'Rolandic_Oper',
  'Supp_Motor_Area',
  'Olfactory',
  'Frontal_Sup_Medial',
  'Frontal_Med_Orb',
  'Rectus',
  'Insula',
  'Cingulum_Ant',
  'Cingulum_Mid',
  'Cingulum_Post',
  'Hippocampus',
  'ParaHippocampal',
  'Amygdala',
  'Calcarine',
  'Cuneus',
  'Lingual',
  'Occipital_Sup',
  'Occipital_Mid',
  'Occipital_Inf',
  'Fusiform',
  'Postcentral',
  'Parietal_Sup',
  'Parietal_Inf',
  'SupraMarginal',
  'Angular',
  'Precuneus',
  'Paracentral_Lobule',
  'Caudate',
  'Putamen',
  'Pallidum',
  'Thalamus',
  'Heschl',
  'Temporal_Sup',
  'Temporal_Pole_Sup',
  'Temporal_Mid',
  'Temporal_Pole_Mid',
  'Temporal_Inf',
] as const;

const range = (first: number, last: number, step = 1): readonly number[] =>
  Array.from({ length: Math.floor((last - first) / step) + 1 }, (_, k) => first + k * step);

/** Whole cerebellum: hemispheres and vermis, AAL 91 to 116. The reference region of SUVR. */
export const CEREBELLUM_LABELS = range(91, 116);

/** Regions whose SUVR is near 1 by construction, because they lie in the reference region: left out of any model. */
export const CONSTANT_PET_REGIONS = ['Cerebellum_L', 'Cerebellum_R', 'Vermis'] as const;

const unnumbered: readonly Omit<Region, 'index'>[] = [
  ...CEREBRAL.flatMap((name, k) => [
    { name: `${name}_L`, labels: [2 * k + 1], side: 'left' as const },
    { name: `${name}_R`, labels: [2 * k + 2], side: 'right' as const },
  ]),
  { name: 'Cerebellum_L', labels: range(91, 107, 2), side: 'left' },
  { name: 'Cerebellum_R', labels: range(92, 108, 2), side: 'right' },
  { name: 'Vermis', labels: range(109, 116), side: 'midline' },
];

export const AAL_93: RegionList = {
  id: 'aal-93/1',
  sha256: 'a78664ec674f8050c56d50a1a0be1b72ee80ff678e58e3da3dc2ce7e3dd65959',
  source: 'AAL: Tzourio-Mazoyer et al., NeuroImage 15:273-289, 2002',
  units: { mri: 'mm3', pet: 'SUVR' },
  regions: unnumbered.map((region, index) => ({ index, ...region })),
};

/** Region index of each AAL label value (0 to 116); -1 for background. */
export const regionOfLabel: readonly number[] = (() => {
  const table = Array.from({ length: 117 }, () => -1);
  for (const region of AAL_93.regions) for (const label of region.labels) table[label] = region.index;
  return table;
})();

/** @throws RangeError when the list has no region of that name. */
export function regionIndex(name: string): number {
  const found = AAL_93.regions.find((region) => region.name === name);
  if (!found) throw new RangeError(`${AAL_93.id} has no region named ${name}`);
  return found.index;
}
