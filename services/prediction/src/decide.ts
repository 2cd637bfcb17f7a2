/** Whether a forecast can be supported, and on what. Pure: inputs and time in, a decision out. */
import { createHash } from 'node:crypto';
import { canonicalJson } from '@engram/contracts';
import type { ErrorCode } from '@engram/errors';
import type { History } from '@engram/models';
import { ageOn } from './age-on.ts';
import type { MeasuredScore, PatientInputs, SessionFeatures } from './projection.ts';

export interface Warning {
  readonly code: string;
  readonly message: string;
}

export interface ForecastInputs {
  readonly history: History;
  readonly indexDate: string;
  readonly sessions: readonly { readonly session: SessionFeatures; readonly used: boolean }[];
  readonly scores: readonly MeasuredScore[];
  readonly missing: readonly string[];
  readonly warnings: readonly Warning[];
  /** Equal inputs have equal digests, whatever the time of asking. */
  readonly digest: string;
}

export type Decision =
  | { readonly kind: 'supported'; readonly inputs: ForecastInputs }
  | { readonly kind: 'pending'; readonly reason: string }
  | { readonly kind: 'refused'; readonly code: ErrorCode; readonly reason: string };

const DAY_MS = 86_400_000;
const YEAR_MS = 365.25 * DAY_MS;
const HOUR_MS = 3_600_000;
/** A study that nobody took up within a day is not "still being made". */
const PENDING_HOURS = 24;
const WARN_MONTHS = 12;
const REFUSE_MONTHS = 24;
/** ln ratio to the reference volume: beyond it another atlas, unit or a broken segmentation is likelier than anatomy. */
const FAR_OFF = 0.8;

const dayOf = (sessionDate: string): string => sessionDate.slice(0, 10);
const yearsBetween = (from: string, to: string): number => (Date.parse(to) - Date.parse(from)) / YEAR_MS;

/** The date so many months on, at the month's last day where it is shorter. */
export function monthsAfter(date: string, months: number): string {
  const [year = 0, month = 1, day = 1] = date.split('-').map(Number);
  const last = new Date(Date.UTC(year, month - 1 + months + 1, 0));
  return new Date(Date.UTC(last.getUTCFullYear(), last.getUTCMonth(), Math.min(day, last.getUTCDate())))
    .toISOString()
    .slice(0, 10);
}

/** Whether volumes are so far from all that the model was fitted on that they would mislead it. */
const implausible = (groups: readonly number[]): boolean =>
  groups.filter((value) => !(Math.abs(value) <= FAR_OFF)).length > groups.length / 2;

/** The server may still call a study in progress whose features are here already. */
function pendingStudies({ studies }: PatientInputs, { sessions }: Imaging, now: Date): number {
  const stored = new Set(sessions.flatMap(({ session }) => session.study_ids));
  return studies.filter(({ study_id, status, updated_at }) => {
    if (stored.has(study_id)) return false;
    if (status === 'queued' || status === 'in-progress') return true;
    if (status !== null && status !== 'waiting') return false;
    return updated_at !== null && now.getTime() - Date.parse(updated_at) < PENDING_HOURS * HOUR_MS;
  }).length;
}

interface Imaging {
  readonly sessions: ForecastInputs['sessions'];
  readonly mri: readonly SessionFeatures[];
  readonly pet: readonly SessionFeatures[];
  readonly missing: readonly string[];
  readonly warnings: readonly Warning[];
}

/** Which sessions take part: verdict fail and implausible volumes are masked, an unknown tracer's PET likewise. */
function chooseImaging(all: readonly SessionFeatures[]): Imaging {
  const sessions = all.filter((session) => !session.withdrawn);
  const missing: string[] = [];
  const warnings: Warning[] = [];
  const mri: SessionFeatures[] = [];
  const pet: SessionFeatures[] = [];
  for (const session of sessions) {
    const at = session.session_date;
    if (session.qc_verdict === 'fail') {
      warnings.push({ code: 'QC_FAILED', message: `the session of ${at} failed quality control and is left out` });
      missing.push(`session ${at}`);
      continue;
    }
    if (session.mri && !implausible(session.mri)) mri.push(session);
    else {
      missing.push(`MRI of ${at}`);
      if (session.mri) {
        warnings.push({
          code: 'MRI_OUT_OF_RANGE',
          message: `the volumes of ${at} lie far outside what the model was fitted on and are left out`,
        });
      }
    }
    if (session.pet && session.pet.kind !== 'unknown') pet.push(session);
    else missing.push(`PET of ${at}`);
    if (session.pet?.kind === 'unknown') {
      const message = `the tracer of the PET of ${at} is not one the model knows; the PET is left out`;
      warnings.push({ code: 'TRACER_UNKNOWN', message });
    }
    if (session.awaiting_pet) {
      warnings.push({ code: 'PET_AWAITED', message: `a PET for the session of ${at} is still awaited` });
    }
    if (session.qc_verdict === 'review') {
      warnings.push({ code: 'QC_REVIEW', message: `the session of ${at} awaits a review of its quality` });
    }
  }
  const used = new Set([...mri, ...pet]);
  if (used.size === 0) {
    missing.push('imaging');
    warnings.push({ code: 'NO_IMAGING', message: 'no usable imaging: the forecast rests on the scores alone' });
  }
  return { sessions: sessions.map((session) => ({ session, used: used.has(session) })), mri, pet, missing, warnings };
}

/**
 * Decides from the projections alone.
 * @param sessions feature sets in any order
 */
export function decideForecast(patient: PatientInputs, sessions: readonly SessionFeatures[], now: Date): Decision {
  const today = now.toISOString().slice(0, 10);
  const byDate = [...sessions].sort((a, b) => (a.session_date < b.session_date ? -1 : 1));
  const imaging = chooseImaging(byDate);
  const open = pendingStudies(patient, imaging, now);
  const anyFeatures = imaging.sessions.length > 0;
  if (!anyFeatures && open > 0) {
    return {
      kind: 'pending',
      reason: `the features of ${open} ${open === 1 ? 'study are' : 'studies are'} still being made`,
    };
  }
  const future = patient.scores.filter((score) => score.date > today);
  const scores = patient.scores.filter((score) => score.date <= today);
  if (scores.length === 0) {
    return { kind: 'refused', code: 'FORECAST_NO_SCORES', reason: 'no measured MMSE, CDR or ADAS-Cog 13 is known' };
  }
  const used = imaging.sessions.filter((each) => each.used).map(({ session }) => dayOf(session.session_date));
  const indexDate = [...scores.map((score) => score.date), ...used].sort().at(-1) ?? today;
  if (monthsAfter(indexDate, REFUSE_MONTHS) < today) {
    const reason = `the latest measured input is of ${indexDate}, more than ${REFUSE_MONTHS} months ago`;
    return { kind: 'refused', code: 'FORECAST_STALE', reason };
  }
  const history = historyOf(patient, scores, imaging, indexDate);
  const missing = [
    ...imaging.missing,
    ...(['mmse', 'cdr_global', 'cdr_sob', 'adas_cog'] as const).filter((name) => !scores.some((s) => s.score === name)),
    ...(history.ageYears === null ? ['age'] : []),
    ...(history.sex === null ? ['sex'] : []),
    ...(history.educationYears === null ? ['education'] : []),
    ...(history.apoe4 === null ? ['APOE e4'] : []),
  ];
  const warnings: Warning[] = [
    ...imaging.warnings,
    ...patient.score_warnings.map(({ code, message }) => ({ code, message })),
    ...(future.length > 0
      ? [{ code: 'SCORE_IN_FUTURE', message: `${future.length} scores dated after today are left out` }]
      : []),
    ...(open > 0 ? [{ code: 'SESSION_IN_PROGRESS', message: 'another study is still being processed' }] : []),
    ...(monthsAfter(indexDate, WARN_MONTHS) < today
      ? [{ code: 'INDEX_OLD', message: `the latest measured input is of ${indexDate}, more than 12 months ago` }]
      : []),
  ];
  const facts = {
    indexDate,
    history,
    sessions: imaging.sessions.map(({ session, used: isUsed }) => [
      session.feature_set_id,
      session.version,
      session.digest,
      isUsed,
    ]),
    scores: scores.map(({ score, value, date, reference }) => [score, value, date, reference]),
  };
  const digest = createHash('sha256').update(canonicalJson(facts)).digest('hex');
  return {
    kind: 'supported',
    inputs: { history, indexDate, sessions: imaging.sessions, scores, missing, warnings, digest },
  };
}

function historyOf(
  patient: PatientInputs,
  scores: readonly MeasuredScore[],
  imaging: Imaging,
  indexDate: string,
): History {
  const years = (date: string): number => -yearsBetween(dayOf(date), indexDate);
  const pet = (kind: 'fdg' | 'amyloid') =>
    imaging.pet.flatMap((session) =>
      session.pet?.kind === kind ? [{ years: years(session.session_date), groups: session.pet.groups }] : [],
    );
  return {
    ageYears: ageOn(patient.birth_date, indexDate),
    sex: patient.sex,
    educationYears: patient.education_years,
    apoe4: patient.apoe4,
    scores: scores.map(({ score, value, date }) => ({ score, value, years: years(date) })),
    mri: imaging.mri.flatMap((session) =>
      session.mri ? [{ years: years(session.session_date), groups: session.mri }] : [],
    ),
    fdg: pet('fdg'),
    amyloid: pet('amyloid'),
  };
}
