/**
 * Which codes mean which score. Our own CodeSystem comes first on output, LOINC and SNOMED CT beside it; on input any alias
 * counts. Sources: LOINC 72106-8 "Total score [MMSE]"; LOINC 72088-8 "Clinical Dementia Rating scale [CDR]" is a panel, hence
 * never alone; no LOINC is known for CDR sum of boxes or ADAS-Cog. SNOMED CT 714360001 does not say which ADAS-Cog it
 * is, so it is written beside `adas-cog-13` but never read as it.
 */
import { FHIR_URLS, type Score } from '@engram/contracts';
import type { CodeableConcept, Coding } from '@medplum/fhirtypes';

export const LOINC = 'http://loinc.org';
export const SNOMED = 'http://snomed.info/sct';
export const UCUM = 'http://unitsofmeasure.org';

export interface ScoreDefinition {
  readonly score: Score;
  readonly display: string;
  readonly min: number;
  readonly max: number;
  /** Values a scale can take, where it is not every step. */
  readonly values?: readonly number[];
  /** Written, in this order: our own code first. */
  readonly codings: readonly Coding[];
  /** Read, beside our own. A panel's code counts only where the value stands on it. */
  readonly aliases: readonly Coding[];
}

const own = (code: string, display: string): Coding => ({ system: FHIR_URLS.scores, code, display });

export const SCORE_DEFINITIONS: Readonly<Record<Score, ScoreDefinition>> = {
  mmse: {
    score: 'mmse',
    display: 'MMSE total score',
    min: 0,
    max: 30,
    codings: [
      own('mmse', 'MMSE total score'),
      { system: LOINC, code: '72106-8', display: 'Total score [MMSE]' },
      { system: SNOMED, code: '447316007', display: 'Mini-mental state examination score' },
    ],
    aliases: [],
  },
  cdr_global: {
    score: 'cdr_global',
    display: 'CDR global score',
    min: 0,
    max: 3,
    values: [0, 0.5, 1, 2, 3],
    codings: [
      own('cdr-global', 'CDR global score'),
      { system: LOINC, code: '72088-8', display: 'Clinical Dementia Rating scale [CDR]' },
    ],
    aliases: [{ system: SNOMED, code: '273367002', display: 'Clinical dementia rating scale' }],
  },
  cdr_sob: {
    score: 'cdr_sob',
    display: 'CDR sum of boxes',
    min: 0,
    max: 18,
    codings: [own('cdr-sb', 'CDR sum of boxes')],
    aliases: [],
  },
  adas_cog: {
    score: 'adas_cog',
    display: 'ADAS-Cog 13 total score',
    min: 0,
    max: 85,
    codings: [
      own('adas-cog-13', 'ADAS-Cog 13 total score'),
      { system: SNOMED, code: '714360001', display: "Alzheimer's Disease Assessment Scale score" },
    ],
    aliases: [],
  },
};

/** Codes of forecasts: an Observation that carries one is never a measurement. */
export const predictedCode = (score: Score): Coding =>
  own(
    `predicted-${score === 'adas_cog' ? 'adas-cog-13' : score === 'cdr_sob' ? 'cdr-sb' : score.replace('_', '-')}`,
    `Predicted ${SCORE_DEFINITIONS[score].display}`,
  );

/**
 * Codes that documents in circulation give for two scores although they mean something else (52493-4 is "Recall [BIMS]") or
 * nothing (54629-3 fails its check digit). Read only where an operator asks for it, with a warning each time.
 */
export const MISUSED_CODES: readonly { readonly coding: Coding; readonly score: Score }[] = [
  { coding: { system: LOINC, code: '52493-4' }, score: 'cdr_global' },
  { coding: { system: LOINC, code: '54629-3' }, score: 'adas_cog' },
];

/** The concept that a measured score is written with. */
export const scoreConcept = (score: Score): CodeableConcept => ({
  coding: [...SCORE_DEFINITIONS[score].codings],
  text: SCORE_DEFINITIONS[score].display,
});

const key = ({ system, code }: Coding): string => `${system}|${code}`;

/** SNOMED CT 714360001 names ADAS without its version, and ADAS-Cog 11 and 13 must never mix. */
const NOT_READ = new Set([`${SNOMED}|714360001`]);

const meanings: ReadonlyMap<string, Score> = new Map(
  Object.values(SCORE_DEFINITIONS).flatMap(({ score, codings, aliases }) =>
    [...codings, ...aliases]
      .map(key)
      .filter((name) => !NOT_READ.has(name))
      .map((name) => [name, score] as const),
  ),
);
const misused: ReadonlyMap<string, Score> = new Map(MISUSED_CODES.map(({ coding, score }) => [key(coding), score]));

export interface Meaning {
  readonly score: Score;
  /** `system|code` that decided. */
  readonly code: string;
  readonly misused: boolean;
}

/** What a concept means; our own code decides before any other, so that a panel's LOINC never turns a CDR-SB into a CDR. */
export function scoreOf(
  codings: readonly Coding[],
  options: { readonly acceptMisused?: boolean } = {},
): Meaning | undefined {
  const ordered = [...codings].sort(
    (a, b) => Number(b.system === FHIR_URLS.scores) - Number(a.system === FHIR_URLS.scores),
  );
  const first = ordered[0];
  // An own code that is no measured score (adas-cog-11, predicted-…) is not overruled by a LOINC beside it.
  if (first?.system === FHIR_URLS.scores) {
    const score = meanings.get(key(first));
    return score && { score, code: key(first), misused: false };
  }
  for (const coding of ordered) {
    const score = meanings.get(key(coding));
    if (score) return { score, code: key(coding), misused: false };
  }
  if (!options.acceptMisused) return undefined;
  for (const coding of ordered) {
    const score = misused.get(key(coding));
    if (score) return { score, code: key(coding), misused: true };
  }
  return undefined;
}

/** A token search that finds every score: `code=…`. */
export const scoreSearchTokens = (): string => [...meanings.keys()].join(',');
