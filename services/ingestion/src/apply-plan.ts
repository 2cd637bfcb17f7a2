/** Writes what planSessions says of a patient: sessions with the runs they ask for, then each study's place. */
import { modify } from '@engram/records';
import { withEvents } from './decide.ts';
import type { SessionRecord } from './model.ts';
import { decideSession, planSessions, sessionDateOf, withdrawSession } from './plan-sessions.ts';
import { sayRunRequested } from './say.ts';
import type { IngestionStore } from './store.ts';

export interface PlanDeps {
  readonly store: IngestionStore;
  readonly now: () => Date;
}

/** Second time does no harm. @throws RECORD_EXISTS when another process took a session's day meanwhile: run it again. */
export async function applyPlan({ store, now }: PlanDeps, patientKey: string): Promise<void> {
  const studies = await store.studiesOf(patientKey);
  const existing = new Map((await store.sessionsOf(patientKey)).map((session) => [session.session_id, session]));
  const { sessions, studies: planned } = planSessions(studies);
  // A study that grows keeps its session as it is until it is whole again.
  const held = new Set(studies.filter(({ state }) => state === 'waiting').map(({ session_id }) => session_id));

  for (const session of sessions) {
    if (held.has(session.session_id)) continue;
    const date = sessionDateOf(session.day, session.session_id, [...existing.values()]);
    const anchor = studies.find(({ study_id }) => study_id === session.inputs[0]?.study_id);
    // The scan that completed the session is the one whose trace goes on.
    const last = studies.find(({ study_id }) => study_id === session.inputs.at(-1)?.study_id) ?? anchor;
    const stored = await modify(store.sessions, session.session_id, (current) => {
      const decision = decideSession(current, session, date);
      if (!decision) return undefined;
      const saying = { time: now(), traceparent: last?.traceparent ?? null };
      const events = decision.isNewRun ? [sayRunRequested(decision.value, saying)] : [];
      return { value: decision.value, options: { events } };
    });
    if (stored) existing.set(session.session_id, stored.value);
  }

  const kept = new Set(sessions.map(({ session_id }) => session_id));
  for (const { session_id } of existing.values()) {
    if (kept.has(session_id) || held.has(session_id)) continue;
    await modify(store.sessions, session_id, (current): { value: SessionRecord } | undefined => {
      const value = current && withdrawSession(current);
      return value && { value };
    });
  }

  for (const { study_id, session_id, awaiting } of planned) {
    if (session_id !== null && held.has(session_id)) continue;
    const session_date = session_id === null ? null : (existing.get(session_id)?.session_date ?? null);
    await modify(store.studies, study_id, (current) => {
      if (current?.state !== 'ready') return undefined;
      const decision = withEvents(current, { ...current, session_id, session_date, awaiting }, now());
      return decision.events.length === 0 ? undefined : { value: decision.value, options: { events: decision.events } };
    });
  }
}
