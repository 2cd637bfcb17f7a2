/**
 * Which studies of a patient make which sessions. A session stands on one study's T1; each PET goes to the nearest T1
 * within the window, the earlier on a tie. Pure, and over all of the patient's studies at once: so the order in which
 * they arrived does not matter.
 */
import { createHash } from 'node:crypto';
import { canonicalJson, type RunInput } from '@engram/contracts';
import { type Awaiting, type Candidate, type SessionRecord, type StudyRecord, withdrawalsOf } from './model.ts';
import { runOf } from './say.ts';

/** Protocol of the pipeline `adni`: a PET belongs to a T1 of at most this many days before or after. */
export const PET_WINDOW_DAYS = 180;
const DAY_MS = 86_400_000;

export interface PlannedStudy {
  readonly study_id: string;
  readonly session_id: string | null;
  readonly awaiting: readonly Awaiting[];
}

export interface Plan {
  /** Without its day's suffix and version: those depend on what is already written. */
  readonly sessions: readonly (Omit<SessionRecord, 'version' | 'session_date' | 'run_id'> & {
    readonly day: string;
  })[];
  readonly studies: readonly PlannedStudy[];
}

/** Anchored on the T1's study: a later version of it is the same session. */
export const sessionIdOf = (patientKey: string, studyUid: string): string =>
  `s-${createHash('sha256').update(`${patientKey}\n${studyUid}`).digest('hex').slice(0, 24)}`;

const daysBetween = (a: string, b: string): number => Math.abs(Date.parse(a) - Date.parse(b)) / DAY_MS;

const inputOf = (role: 't1' | 'pet', study: StudyRecord, candidate: Candidate): RunInput => ({
  role,
  study_id: study.study_id,
  study_uid: study.study_uid,
  study_version: study.study_version,
  ...candidate,
  withdrawals: withdrawalsOf(study),
});

interface Dated {
  readonly study: StudyRecord;
  readonly candidate: Candidate;
  readonly day: string;
}

const byDay = (a: Dated, b: Dated): number =>
  a.day === b.day ? (a.study.study_uid < b.study.study_uid ? -1 : 1) : a.day < b.day ? -1 : 1;

export function planSessions(studies: readonly StudyRecord[]): Plan {
  const ready = studies.filter(({ state }) => state === 'ready');
  const dated = (candidate: Candidate | null, study: StudyRecord): readonly Dated[] =>
    candidate?.acquired ? [{ study, candidate, day: candidate.acquired }] : [];
  const t1s = ready.flatMap((study) => dated(study.t1, study)).sort(byDay);
  const pets = ready.flatMap((study) => dated(study.pet, study)).sort(byDay);

  /** A PET of the T1's own study before any other; then by days, the earlier T1 on a tie (they come in order). */
  const t1Of = (pet: Dated): Dated | undefined => {
    const own = t1s.find(({ study }) => study.study_id === pet.study.study_id);
    if (own) return own;
    const near = t1s.filter(({ day }) => daysBetween(day, pet.day) <= PET_WINDOW_DAYS);
    return near.reduce<Dated | undefined>(
      (best, t1) => (best && daysBetween(best.day, pet.day) <= daysBetween(t1.day, pet.day) ? best : t1),
      undefined,
    );
  };
  const homes = new Map(pets.map((pet) => [pet, t1Of(pet)]));
  /** Of several PETs of one T1: its own study's, a known tracer, the nearest, the earlier. */
  const petOf = (t1: Dated): Dated | undefined => {
    const rank = (pet: Dated) => [
      pet.study.study_id === t1.study.study_id ? 0 : 1,
      pet.candidate.tracer === null ? 1 : 0,
      daysBetween(pet.day, t1.day),
    ];
    const better = (a: Dated, b: Dated): boolean => {
      const [x, y] = [rank(a), rank(b)];
      const i = x.findIndex((value, k) => value !== y[k]);
      return i >= 0 && (x[i] ?? 0) < (y[i] ?? 0);
    };
    return pets
      .filter((pet) => homes.get(pet) === t1)
      .reduce<Dated | undefined>((best, pet) => (best && !better(pet, best) ? best : pet), undefined);
  };

  const waitsForPet = (day: string): Awaiting => ({
    what: 'pet',
    why: `no PET within ${PET_WINDOW_DAYS} days of ${day} yet`,
  });
  const sessions = t1s.map((t1) => {
    const { study, candidate, day } = t1;
    const pet = petOf(t1);
    return {
      session_id: sessionIdOf(study.patient_key, study.study_uid),
      patient_key: study.patient_key,
      patient_id: study.patient_id,
      patient_reference: study.patient_reference,
      day,
      state: 'ready' as const,
      inputs: [inputOf('t1', study, candidate), ...(pet ? [inputOf('pet', pet.study, pet.candidate)] : [])],
      awaiting: pet ? [] : [waitsForPet(day)],
    };
  });

  const planned = ready.map((study): PlannedStudy => {
    const session = sessions.find(({ inputs }) =>
      inputs.some(({ study_id, role }) => study_id === study.study_id && role === 't1'),
    );
    if (session) return { study_id: study.study_id, session_id: session.session_id, awaiting: session.awaiting };
    const pet = pets.find((one) => one.study.study_id === study.study_id);
    if (!pet) return { study_id: study.study_id, session_id: null, awaiting: [] };
    const home = homes.get(pet);
    const why = `no T1 within ${PET_WINDOW_DAYS} days of ${pet.day} yet`;
    if (!home) return { study_id: study.study_id, session_id: null, awaiting: [{ what: 't1', why }] };
    return {
      study_id: study.study_id,
      session_id: sessionIdOf(home.study.patient_key, home.study.study_uid),
      awaiting: [],
    };
  });
  return { sessions, studies: planned };
}

/** `YYYY-MM-DD`, `_2` for the second session of the day: the first suffix that no other session of the patient has. */
export function sessionDateOf(day: string, sessionId: string, existing: readonly SessionRecord[]): string {
  const own = existing.find(({ session_id }) => session_id === sessionId);
  if (own?.session_date.startsWith(day)) return own.session_date;
  const taken = new Set(
    existing.filter(({ session_id }) => session_id !== sessionId).map(({ session_date }) => session_date),
  );
  for (let n = 1; ; n++) {
    const date = n === 1 ? day : `${day}_${n}`;
    if (!taken.has(date)) return date;
  }
}

/** The session as it should be now; undefined when it already is. `isNewRun` asks for a run. */
export function decideSession(
  current: SessionRecord | undefined,
  planned: Plan['sessions'][number],
  sessionDate: string,
): { readonly value: SessionRecord; readonly isNewRun: boolean } | undefined {
  const { day: _, ...rest } = planned;
  const run_id = runOf(planned);
  const value: SessionRecord = {
    ...rest,
    session_date: sessionDate,
    run_id,
    version: (current?.version ?? 0) + 1,
  };
  const told = ({ version: _version, ...facts }: SessionRecord) => canonicalJson(facts);
  const isSame = current !== undefined && told(current) === told(value);
  return isSame ? undefined : { value, isNewRun: current?.run_id !== run_id || current.session_date !== sessionDate };
}

/** A session that lost its T1. */
export function withdrawSession(current: SessionRecord): SessionRecord | undefined {
  if (current.state === 'retracted') return undefined;
  return {
    ...current,
    version: current.version + 1,
    state: 'retracted',
    inputs: [],
    awaiting: [],
    run_id: null,
  };
}
