/**
 * What FreeSurfer's label numbers (FreeSurferColorLUT.txt) and the extra-cerebral numbers 500 and up of the public label
 * maps are made of, so that an image of any contrast can be painted on a label map with exact truth.
 */
export const TISSUES = ['air', 'csf', 'gm', 'wm', 'deep_gm', 'bone', 'marrow', 'soft', 'skin', 'vessel'] as const;
export type Tissue = (typeof TISSUES)[number];

const MADE_OF: readonly (readonly [Tissue, readonly number[]])[] = [
  ['csf', [4, 5, 14, 15, 24, 31, 43, 44, 63, 72]],
  ['gm', [3, 8, 17, 18, 26, 42, 47, 53, 54, 58, 137, 164]],
  ['deep_gm', [10, 11, 12, 13, 49, 50, 51, 52]],
  ['wm', [2, 7, 16, 28, 41, 46, 60, 77, 85, 136, 163, 192, 251, 252, 253, 254, 255]],
  ['vessel', [30, 62, 514, 530]],
  ['air', [0, 502]],
  ['bone', [515]],
  ['marrow', [516]],
  ['soft', [506, 507, 508, 509, 512]],
  ['skin', [511]],
];

const TABLE: ReadonlyMap<number, Tissue> = new Map(
  MADE_OF.flatMap(([tissue, labels]) => labels.map((label) => [label, tissue] as const)),
);

/** Unlisted labels of the head count as soft tissue. */
export const tissueOf = (label: number): Tissue => TABLE.get(label) ?? 'soft';

/** Brain with its ventricles, without the fluid around it. */
export const isBrain = (label: number): boolean => label > 0 && label < 500 && label !== 24;
/** All that lies inside the skull: the brain and the fluid around it. */
export const isIntracranial = (label: number): boolean => label > 0 && label < 500;
/** Cerebellar cortex and white matter: FreeSurfer's whole cerebellum. */
export const CEREBELLUM_FS_LABELS: readonly number[] = [7, 8, 46, 47];

/** Mean intensities. */
export const CONTRASTS = {
  t1: {
    air: 0,
    csf: 25,
    gm: 75,
    deep_gm: 88,
    wm: 110,
    bone: 8,
    marrow: 70,
    soft: 60,
    skin: 80,
    vessel: 40,
  },
  /** A T1 with little difference of grey and white, such as a low inversion-time contrast gives. */
  't1-low': {
    air: 0,
    csf: 45,
    gm: 82,
    deep_gm: 87,
    wm: 94,
    bone: 10,
    marrow: 60,
    soft: 65,
    skin: 75,
    vessel: 55,
  },
  flair: { air: 0, csf: 12, gm: 82, deep_gm: 78, wm: 68, bone: 8, marrow: 40, soft: 50, skin: 70, vessel: 20 },
  t2: { air: 0, csf: 120, gm: 70, deep_gm: 62, wm: 50, bone: 6, marrow: 45, soft: 35, skin: 50, vessel: 15 },
} as const satisfies Record<string, Record<Tissue, number>>;
export type Contrast = keyof typeof CONTRASTS;

/** Relative uptake by tissue. FDG after the usual grey 1, white 0.4, fluid 0.08. */
export const UPTAKE = {
  fdg: {
    air: 0,
    csf: 0.08,
    gm: 1,
    deep_gm: 1,
    wm: 0.4,
    bone: 0.12,
    marrow: 0.15,
    soft: 0.15,
    skin: 0.15,
    vessel: 0.2,
  },
  /** Amyloid-negative: more in white matter than in grey. */
  'amyloid-negative': {
    air: 0,
    csf: 0.1,
    gm: 1,
    deep_gm: 1.2,
    wm: 1.6,
    bone: 0.2,
    marrow: 0.25,
    soft: 0.25,
    skin: 0.25,
    vessel: 0.3,
  },
} as const satisfies Record<string, Record<Tissue, number>>;
export type Tracer = keyof typeof UPTAKE;
