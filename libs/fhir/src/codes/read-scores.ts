/** Measured scores out of Observations: what is a forecast, withdrawn, unfinished or out of range is left out, with a reason. */
import { AI_ASSERTED, FHIR_URLS, type Score } from '@engram/contracts';
import type { Coding, Observation, Quantity } from '@medplum/fhirtypes';
import { SCORE_DEFINITIONS, scoreOf, UCUM } from './score-codes.ts';

export interface MeasuredScore {
  readonly score: Score;
  readonly value: number;
  /** `YYYY-MM-DD`, as written. */
  readonly date: string;
  /** `Observation/id`. */
  readonly reference: string;
  /** `system|code` that said which score it is. */
  readonly code: string;
}

export interface ScoreWarning {
  readonly code: 'SCORE_OUT_OF_RANGE' | 'SCORE_UNIT' | 'SCORE_DATE' | 'SCORE_VALUE' | 'SCORE_CODE_MISUSED';
  readonly message: string;
  readonly reference: string;
}

export interface ReadScoresOptions {
  /** Reads LOINC 52493-4 as CDR and 54629-3 as ADAS-Cog 13, with a warning each. Default false. */
  readonly acceptMisused?: boolean;
  readonly warn?: (warning: ScoreWarning) => void;
}

const MEASURED = new Set(['final', 'amended', 'corrected']);
const DATE = /^\d{4}-\d{2}-\d{2}/;
const UNITLESS = new Set(['{score}', '1', '{points}', '{point}', '']);

/** Whether an algorithm asserted it: by the AI mark, or by one of our own `predicted-…` codes. */
export function isForecast(observation: Observation): boolean {
  const marked = observation.meta?.security?.some(
    ({ system, code }) => system === AI_ASSERTED.system && code === AI_ASSERTED.code,
  );
  const predicted = observation.code?.coding?.some(
    ({ system, code }) => system === FHIR_URLS.scores && code?.startsWith('predicted-'),
  );
  return marked === true || predicted === true;
}

interface Candidate {
  readonly codings: readonly Coding[];
  readonly quantity: Quantity | undefined;
  readonly integer: number | undefined;
}

/** The value on the Observation itself, then those of its components: a CDR form often carries both of its totals so. */
function candidatesOf({ code, valueQuantity, valueInteger, component }: Observation): readonly Candidate[] {
  return [
    { codings: code?.coding ?? [], quantity: valueQuantity, integer: valueInteger },
    ...(component ?? []).map((part) => ({
      codings: part.code?.coding ?? [],
      quantity: part.valueQuantity,
      integer: part.valueInteger,
    })),
  ];
}

/**
 * @returns oldest first; one entry a score and Observation.
 * @example const scores = readScores(await fhir.search('Observation', { patient: 'Patient/1', code: scoreSearchTokens() }));
 */
export function readScores(
  observations: readonly Observation[],
  { acceptMisused = false, warn = () => {} }: ReadScoresOptions = {},
): readonly MeasuredScore[] {
  const found: MeasuredScore[] = [];
  for (const observation of observations) {
    if (!MEASURED.has(observation.status) || isForecast(observation)) continue;
    const reference = `Observation/${observation.id ?? ''}`;
    const written = observation.effectiveDateTime ?? observation.effectivePeriod?.start ?? observation.effectiveInstant;
    const seen = new Set<Score>();
    for (const { codings, quantity, integer } of candidatesOf(observation)) {
      const meaning = scoreOf(codings, { acceptMisused });
      const value = quantity?.value ?? integer;
      if (!meaning || seen.has(meaning.score) || (value === undefined && quantity === undefined)) continue;
      const { score } = meaning;
      const { min, max, values, display } = SCORE_DEFINITIONS[score];
      const say = (code: ScoreWarning['code'], what: string) =>
        warn({ code, message: `${display} ${what}`, reference });
      if (value === undefined || !Number.isFinite(value) || quantity?.comparator) {
        say('SCORE_VALUE', 'is no plain number and is left out');
        continue;
      }
      if (quantity?.code !== undefined && quantity.system === UCUM && !UNITLESS.has(quantity.code)) {
        say('SCORE_UNIT', 'is given in a unit that is no score and is left out');
        continue;
      }
      if (value < min || value > max || (values && !values.includes(value))) {
        say(
          'SCORE_OUT_OF_RANGE',
          `lies outside its scale (${values?.join(', ') ?? `${min} to ${max}`}) and is left out`,
        );
        continue;
      }
      const date = DATE.exec(written ?? '')?.[0];
      if (date === undefined) {
        say('SCORE_DATE', 'has no day and is left out');
        continue;
      }
      if (meaning.misused) say('SCORE_CODE_MISUSED', `was read from ${meaning.code}, which does not mean it`);
      seen.add(score);
      found.push({ score, value, date, reference, code: meaning.code });
    }
  }
  return found.sort((a, b) => (a.date === b.date ? (a.reference < b.reference ? -1 : 1) : a.date < b.date ? -1 : 1));
}
