/** What kind of MR a series is, from its parameters first and the words of its description second. */
import type { SeriesFacts } from './series-facts.ts';

export interface MrKind {
  /**
   * `mprage`: 3D, T1-weighted by inversion recovery (MPRAGE, IR-SPGR, IR-TFE). `t1-3d`: any other 3D T1. `excluded`: not a
   * T1 that a volume can be measured on.
   */
  readonly kind: 'mprage' | 't1-3d' | 'excluded';
  /** In words, without text of the header beyond the keyword that matched. */
  readonly reason: string;
  /** The scanner calls it a product of other images; used only where no original is there. */
  readonly derived: boolean;
}

const excluded = (reason: string): MrKind => ({ kind: 'excluded', reason, derived: false });

/** Words that name another image than a T1 volume. First match wins. */
const OTHER: readonly (readonly [RegExp, string])[] = [
  [
    /\b(loc|localizer|localiser|scout|survey|pilot|3[- ]?plane|aahead|aahscout)\b|localizer|localiser|scout/,
    'a localiser',
  ],
  [
    /\b(calib|calibration|asset|coil|shim|b0 ?map|b1 ?map|field ?map|fieldmap|reference scan|ref scan|phantom)\b/,
    'a calibration',
  ],
  [/flair|\bdark[- ]?fluid\b/, 'a FLAIR'],
  [
    /\b(dwi|dti|diff|diffusion|adc|trace|tracew|fa map|colfa|hardi|noddi|b[ -]?1000)\b|diffusion|_adc\b|_trace|dti/,
    'diffusion',
  ],
  [/\b(asl|pasl|pcasl|cbf|relcbf|perf|perfusion|dsc|dce|cbv|mtt|ttp|tmax)\b|perfusion/, 'perfusion'],
  [/\b(bold|fmri|rest|rsfmri|resting|task|ep2d|epi)\b|fmri|bold/, 'functional MR'],
  [
    /\b(swi|swan|swip|qsm|venobold|susceptibility|gre[ -]?t2|hemo|t2\*|t2star|t2-star)\b|t2\*|t2star|swi_|_swi/,
    'susceptibility-weighted',
  ],
  [/\b(tof|mra|mrv|angio|angiography|inhance|venc|phase contrast|pca)\b|angio|_tof/, 'angiography'],
  [/\b(mrs|svs|csi|press|spectro|spectroscopy|steam)\b|spectro/, 'spectroscopy'],
  [
    /\b(t2|t2w|t2tse|tse ?t2|fse ?t2|haste|ciss|fiesta|stir|pd|pdw|proton density)\b|t2w|t2_|_t2|t2[ -]?(tse|fse|space|cube|vista)/,
    'T2- or proton-density-weighted',
  ],
  [
    /\b(mip|minip|mpr|mprs|reformat|reformatted|subtraction|subtr|sub|screen ?save|report|dose|summary|vessel)\b/,
    'a reformat or a summary',
  ],
];

const MPRAGE_NAME =
  /mp[- _]?rage|mprage|mp2rage|ir[- _]?f?spgr|irfspgr|bravo|ir[- _]?(tfe|gre|ffe)|t1[- _]?(w[- _]?)?(3d[- _]?)?tfe|3d[- _]?tfe|turbo ?flash|tfl3d|tfl_?3d/;
const T1_NAME = /\bt1\b|t1w|t1_|_t1|t1-|spgr|fspgr|vibe|lava|thrive|3d[- _]?(ffe|gre)|flash|t1[- ]?(space|cube|vista)/;
const DERIVED_PRODUCT =
  /^(MPR|MIP|MINIP|ADC|TRACEW|FA|PERFUSION|ASL|RELCBF|SUB|TTEST|PROJECTION IMAGE|CSA.*|SCREEN SAVE|REFORMATTED|DIFFUSION|TENSOR|EXP|DIS2D_MPR)$/;

/** Below this many slices no whole brain fits at any usual thickness. */
const FEWEST_SLICES = 60;
/** mm; thicker slices are 2D imaging. */
const THICKEST = 3;

export function mrKindOf(facts: SeriesFacts): MrKind {
  const words = [facts.description, facts.protocol, facts.sequence_name].join(' ').toLowerCase().replaceAll('_', ' _');
  const text = `${words} ${words.replaceAll(' _', ' ')}`;
  const types = facts.image_type.map((type) => type.toUpperCase());
  const sequence = new Set(facts.scanning_sequence);
  const variant = new Set(facts.sequence_variant);

  if (types.includes('LOCALIZER')) return excluded('a localiser');
  const product = types.find((type) => DERIVED_PRODUCT.test(type));
  if (product !== undefined) return excluded(`a derived image (${product})`);
  const mprageByName = MPRAGE_NAME.exec(text)?.[0].trim();
  // A name that says MPRAGE outweighs a word such as `rest` or `sub` elsewhere, but not another contrast.
  const other = OTHER.find(([pattern, what]) => pattern.test(text) && !(mprageByName && what.startsWith('a ')));
  if (
    other !== undefined &&
    !(mprageByName && other[1].startsWith('T2') && !/t2/.test(facts.description.toLowerCase()))
  ) {
    return excluded(other[1]);
  }
  if (sequence.has('EP')) return excluded('echo-planar');
  if ((facts.b_value ?? 0) > 0) return excluded('diffusion');
  if (facts.frames !== null && facts.frames > 1) return excluded(`${facts.frames} frames`);
  if (types.includes('P') || types.includes('PHASE')) return excluded('a phase image');

  const { echo_time_ms: te, repetition_time_ms: tr, inversion_time_ms: ti, flip_angle_deg: flip } = facts;
  if (sequence.has('SE') && te !== null && te > 60) return excluded(`T2-weighted (TE ${te} ms)`);
  if (te !== null && te > 30) return excluded(`not T1-weighted (TE ${te} ms)`);
  const flat = thickness(facts);
  if (facts.acquisition_type === '2D') return excluded('2D, not a 3D volume');
  if (flat !== null && flat > THICKEST) return excluded(`slices of ${flat.toFixed(1)} mm, thicker than ${THICKEST} mm`);
  const slices = facts.slices ?? facts.images;
  if (slices !== null && slices < FEWEST_SLICES) return excluded(`${slices} slices, fewer than ${FEWEST_SLICES}`);

  const derived = types.includes('DERIVED') || types.includes('SECONDARY');
  const inverted = sequence.has('IR') || variant.has('MP') || (ti !== null && ti >= 200 && ti <= 2000);
  if (sequence.has('GR') && inverted && facts.acquisition_type === '3D') {
    return { kind: 'mprage', reason: '3D inversion-recovery gradient echo (MPRAGE or IR-SPGR)', derived };
  }
  if (mprageByName !== undefined) return { kind: 'mprage', reason: `named ${mprageByName}`, derived };
  const t1ByName = T1_NAME.exec(text)?.[0].replace(/[^a-z0-9]/g, '');
  const spoiled = sequence.has('GR') && tr !== null && tr <= 60 && te !== null && te <= 12 && (flip ?? 20) >= 10;
  if (t1ByName !== undefined) return { kind: 't1-3d', reason: `a 3D T1 (named ${t1ByName})`, derived };
  if (spoiled && facts.acquisition_type === '3D' && !variant.has('SS')) {
    return { kind: 't1-3d', reason: `a 3D T1 by its parameters (TR ${tr} ms, TE ${te} ms)`, derived };
  }
  return excluded('nothing says that it is a 3D T1');
}

const thickness = (facts: SeriesFacts): number | null => facts.spacing_mm?.[2] ?? facts.slice_thickness_mm;

const NEGATED = /\b(pre|without|w\/o|wo|non|no|native|ohne|sans)\b/;
const ENHANCED =
  /\b(gd|gad|gado|gadolinium|post|postcontrast|\+c|c\+|ce|km|contrast|kontrast|gadavist|dotarem|magnevist)\b|\+c\b|\bc\+|\+gd|post[- ]?(gd|con)/;

/** Whether a contrast agent was given, as far as the header says. */
export function hasContrastAgent(facts: SeriesFacts): boolean {
  const agent = facts.contrast_agent.trim();
  if (agent !== '' && !/^(no|none|n|nil|0|without|ohne)\b/i.test(agent)) return true;
  const words = facts.description.toLowerCase().replaceAll('_', ' ');
  return ENHANCED.test(words) && !NEGATED.test(words);
}
