/**
 * Which series of a study is the T1 and which the PET, with the reason for every one of them in words. T1: MPRAGE or
 * IR-SPGR before other 3D T1s, originals before derived ones, without contrast agent, finer, later. PET:
 * attenuation-corrected, with a known tracer, in Bq/mL, finer, later.
 */
import { hasContrastAgent, type MrKind, mrKindOf } from './mr-kind.ts';
import type { SeriesFacts } from './series-facts.ts';
import { type TracerFinding, tracerOf } from './tracer.ts';

export interface SeriesDecision {
  readonly series_uid: string;
  readonly role: 't1' | 'pet' | 'none';
  readonly reason: string;
}

export interface SeriesChoice {
  readonly t1?: SeriesFacts;
  readonly pet?: SeriesFacts;
  /** Of the chosen PET. */
  readonly tracer: TracerFinding | null;
  /** One for each series given, in their order. */
  readonly decisions: readonly SeriesDecision[];
}

/** One thing to prefer by: the lower value wins, and `words` says why. */
interface Rule<C> {
  readonly value: (candidate: C) => number | string;
  readonly words: string;
}

interface T1Candidate {
  readonly facts: SeriesFacts;
  readonly kind: MrKind;
  readonly contrast: boolean;
}

interface PetCandidate {
  readonly facts: SeriesFacts;
  readonly tracer: TracerFinding;
}

const voxel = (facts: SeriesFacts): number => facts.spacing_mm?.reduce((volume, mm) => volume * mm, 1) ?? 1e3;

/** Two spacings within five per cent are one protocol's rounding, not a finer image. */
const voxelClass = (facts: SeriesFacts): number => Math.round(Math.log(voxel(facts)) / Math.log(1.05));

/** Later wins: text of ISO form, turned round so that the lower value is the later one. */
const later = (facts: SeriesFacts): string =>
  [...facts.acquired.padEnd(20, ' ')].map((c) => String.fromCharCode(0xffff - c.charCodeAt(0))).join('');

const T1_RULES: readonly Rule<T1Candidate>[] = [
  { value: ({ kind }) => (kind.derived ? 1 : 0), words: 'an original comes before a derived image' },
  { value: ({ kind }) => (kind.kind === 'mprage' ? 0 : 1), words: 'MPRAGE or IR-SPGR comes before another 3D T1' },
  { value: ({ contrast }) => (contrast ? 1 : 0), words: 'without contrast agent comes first' },
  { value: ({ facts }) => voxelClass(facts), words: 'the finer one comes first' },
  { value: ({ facts }) => (isCombined(facts) ? 0 : 1), words: 'the combined echoes come before a single one' },
  { value: ({ facts }) => later(facts), words: 'the later one comes first' },
  { value: ({ facts }) => -(facts.series_number ?? 0), words: 'the higher series number comes first' },
  { value: ({ facts }) => facts.series_uid, words: 'the order of their UIDs decides' },
];

const PET_RULES: readonly Rule<PetCandidate>[] = [
  { value: ({ facts }) => (facts.corrections.includes('ATTN') ? 0 : 1), words: 'attenuation-corrected comes first' },
  { value: ({ tracer }) => (tracer.tracer === null ? 1 : 0), words: 'a known tracer comes first' },
  { value: ({ facts }) => (facts.units === '' || facts.units === 'BQML' ? 0 : 1), words: 'Bq/mL comes first' },
  { value: ({ facts }) => voxelClass(facts), words: 'the finer one comes first' },
  { value: ({ facts }) => later(facts), words: 'the later one comes first' },
  { value: ({ facts }) => -(facts.series_number ?? 0), words: 'the higher series number comes first' },
  { value: ({ facts }) => facts.series_uid, words: 'the order of their UIDs decides' },
];

const isCombined = ({ image_type, description }: SeriesFacts): boolean =>
  image_type.includes('MEAN') || /\brms\b/i.test(description);

/** The first rule on which two candidates differ, and which way. */
function compare<C>(rules: readonly Rule<C>[], a: C, b: C): { readonly sign: number; readonly words: string } {
  for (const { value, words } of rules) {
    const [p, q] = [value(a), value(b)];
    if (p !== q) return { sign: p < q ? -1 : 1, words };
  }
  return { sign: 0, words: 'they are the same' };
}

export function chooseSeries(series: readonly SeriesFacts[]): SeriesChoice {
  const reasons = new Map<SeriesFacts, SeriesDecision>();
  const decide = (facts: SeriesFacts, role: SeriesDecision['role'], reason: string) =>
    reasons.set(facts, { series_uid: facts.series_uid, role, reason });

  const t1s: T1Candidate[] = [];
  const pets: PetCandidate[] = [];
  for (const facts of series) {
    if (facts.modality === 'MR') {
      const kind = mrKindOf(facts);
      if (kind.kind === 'excluded') decide(facts, 'none', `not a T1: ${kind.reason}`);
      else t1s.push({ facts, kind, contrast: hasContrastAgent(facts) });
    } else if (facts.modality === 'PT') {
      const why = petExclusion(facts);
      if (why !== undefined) decide(facts, 'none', `not the PET: ${why}`);
      else pets.push({ facts, tracer: tracerOf(facts.radiopharmaceutical) });
    } else decide(facts, 'none', `${facts.modality || 'no modality'}: neither MR nor PET`);
  }

  t1s.sort((a, b) => compare(T1_RULES, a, b).sign);
  pets.sort((a, b) => compare(PET_RULES, a, b).sign);
  const [t1, ...otherT1s] = t1s;
  const [pet, ...otherPets] = pets;
  if (t1 !== undefined) {
    decide(t1.facts, 't1', withRivals(t1Words(t1), otherT1s.length, T1_RULES, t1, otherT1s[0]));
    for (const other of otherT1s) {
      decide(other.facts, 'none', `${t1Words(other)}; another T1 was taken: ${compare(T1_RULES, t1, other).words}`);
    }
  }
  if (pet !== undefined) {
    decide(pet.facts, 'pet', withRivals(petWords(pet), otherPets.length, PET_RULES, pet, otherPets[0]));
    for (const other of otherPets) {
      decide(other.facts, 'none', `${petWords(other)}; another PET was taken: ${compare(PET_RULES, pet, other).words}`);
    }
  }
  return {
    ...(t1 && { t1: t1.facts }),
    ...(pet && { pet: pet.facts }),
    tracer: pet?.tracer ?? null,
    decisions: series.flatMap((facts) => reasons.get(facts) ?? []),
  };
}

function withRivals<C>(
  words: string,
  rivals: number,
  rules: readonly Rule<C>[],
  chosen: C,
  next: C | undefined,
): string {
  if (next === undefined) return words;
  return `${words}; taken before ${rivals === 1 ? 'another' : `${rivals} others`}: ${compare(rules, chosen, next).words}`;
}

function spacingWords(facts: SeriesFacts): string {
  return facts.spacing_mm === null ? '' : `, ${facts.spacing_mm.map((mm) => mm.toFixed(2)).join(' x ')} mm`;
}

function t1Words({ facts, kind, contrast }: T1Candidate): string {
  const agent = contrast ? 'with contrast agent' : 'no contrast agent';
  return `${kind.reason}${spacingWords(facts)}, ${agent}${kind.derived ? ', marked as derived' : ''}`;
}

function petWords({ facts, tracer }: PetCandidate): string {
  const corrected =
    facts.corrections.length === 0
      ? ''
      : facts.corrections.includes('ATTN')
        ? ', attenuation-corrected'
        : ', not attenuation-corrected';
  const frames = facts.frames !== null && facts.frames > 1 ? `, ${facts.frames} frames` : '';
  return `PET with ${tracer.tracer ?? 'unknown tracer'} (${tracer.reason})${spacingWords(facts)}${frames}${corrected}`;
}

/** Words in a PET's description that name something else than its emission image. */
function petExclusion(facts: SeriesFacts): string | undefined {
  const words = facts.description.toLowerCase().replaceAll('_', ' ');
  const types = facts.image_type.map((type) => type.toUpperCase());
  if (types.includes('LOCALIZER') || /\b(scout|topogram|localizer|localiser|surview)\b/.test(words))
    return 'a localiser';
  if (types.some((type) => /^(MIP|REPROJECTION|MPR|PROJECTION IMAGE)$/.test(type)) || /\bmip\b/.test(words)) {
    return 'a projection or a reformat';
  }
  if (/\b(transmission|mu ?map|umap|ctac|attenuation map)\b/.test(words)) return 'an attenuation map';
  if (facts.corrections.length > 0 && !facts.corrections.includes('ATTN')) return 'not attenuation-corrected';
  if (/\b(nac|no ?ac|uncorrected|non[- ]?corrected)\b/.test(words)) return 'not attenuation-corrected';
  const slices = facts.slices ?? facts.images;
  if (slices !== null && slices < 20) return `${slices} slices, fewer than 20`;
  return undefined;
}
