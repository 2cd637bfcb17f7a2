/** Writes what planSessions says of a patient: sessions with the runs they ask for, then each study's place. */
import { canonicalJson, type EngramEvent } from '@engram/contracts';
import { EngramError, isEngramError } from '@engram/errors';
import { modify } from '@engram/records';
import { withEvents } from './decide.ts';
import type { SessionRecord, StudyRecord } from './model.ts';
import { decideSession, type Plan, planSessions, sessionDateOf, withdrawSession } from './plan-sessions.ts';
import { sayRunRequested } from './say.ts';
import type { IngestionStore } from './store.ts';

export interface PlanDeps {
  readonly store: IngestionStore;
  readonly now: () => Date;
}

const TRIES = 10;

/**
 * Plans until what was planned on still holds. Several processes may plan at once: a session changes only as it was when
 * the plan began, so a plan on older studies never replaces one on newer ones, and whoever sees other studies afterwards
 * plans anew. Second time does no harm.
 * @throws RECORD_CONFLICT when the studies kept changing; RECORD_EXISTS when another process took a session's day meanwhile: run it again.
 */
export async function applyPlan(deps: PlanDeps, patientKey: string): Promise<void> {
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    try {
      if (await planOnce(deps, patientKey)) return;
    } catch (error) {
      if (!isEngramError(error, 'RECORD_CONFLICT')) throw error;
    }
  }
  throw new EngramError('RECORD_CONFLICT', 'the studies of a patient kept changing while they were planned');
}

interface Basis {
  readonly plan: Plan;
  /** Sessions of studies that are not whole: each keeps its session as it is until then. */
  readonly held: ReadonlySet<string | null>;
}

function basisOf(studies: readonly StudyRecord[]): Basis {
  const waiting = studies.filter(({ state }) => state === 'waiting');
  return { plan: planSessions(studies), held: new Set(waiting.map(({ session_id }) => session_id)) };
}

const textOf = ({ plan, held }: Basis): string => canonicalJson([plan, [...held].sort()]);

/** @returns whether the studies still are as they were planned on. */
async function planOnce({ store, now }: PlanDeps, patientKey: string): Promise<boolean> {
  // Read before the studies: what changes a session afterwards may rest on newer ones.
  const seen = new Map((await store.sessionsOf(patientKey)).map((session) => [session.session_id, session]));
  const studies = await store.studiesOf(patientKey);
  const basis = basisOf(studies);
  const { plan, held } = basis;
  const existing = new Map(seen);

  const keep = async (value: SessionRecord, events: readonly EngramEvent[]): Promise<void> => {
    const id = value.session_id;
    await modify(store.sessions, id, (current) => {
      if (current?.version === seen.get(id)?.version) return { value, options: { events } };
      throw new EngramError('RECORD_CONFLICT', 'a session changed while it was planned');
    });
    existing.set(id, value);
  };

  for (const session of plan.sessions) {
    if (held.has(session.session_id)) continue;
    const date = sessionDateOf(session.day, session.session_id, [...existing.values()]);
    const decision = decideSession(seen.get(session.session_id), session, date);
    if (!decision) continue;
    const anchor = studies.find(({ study_id }) => study_id === session.inputs[0]?.study_id);
    // The scan that completed the session is the one whose trace goes on.
    const last = studies.find(({ study_id }) => study_id === session.inputs.at(-1)?.study_id) ?? anchor;
    const saying = { time: now(), traceparent: last?.traceparent ?? null };
    const events = decision.isNewRun ? [sayRunRequested(decision.value, saying)] : [];
    await keep(decision.value, events);
  }

  const kept = new Set(plan.sessions.map(({ session_id }) => session_id));
  for (const session of seen.values()) {
    if (kept.has(session.session_id) || held.has(session.session_id)) continue;
    const value = withdrawSession(session);
    if (value) await keep(value, []);
  }

  for (const { study_id, session_id, awaiting } of plan.studies) {
    if (session_id !== null && held.has(session_id)) continue;
    const session_date = session_id === null ? null : (existing.get(session_id)?.session_date ?? null);
    await modify(store.studies, study_id, (current) => {
      if (current?.state !== 'ready') return undefined;
      const decision = withEvents(current, { ...current, session_id, session_date, awaiting }, now());
      return decision.events.length === 0 ? undefined : { value: decision.value, options: { events: decision.events } };
    });
  }
  return textOf(basisOf(await store.studiesOf(patientKey))) === textOf(basis);
}
