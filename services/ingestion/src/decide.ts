/** What an observation of a study means, given what was known: the next record and the events it makes true. Pure. */
import type { EngramEvent } from '@engram/contracts';
import { type Awaiting, type Candidate, type RetractedWhy, type StudyRecord, withdrawalsOf } from './model.ts';
import type { ObservedStudy } from './observe-study.ts';
import { type Saying, sayReviewRequested, sayStudyReceived, sayStudyRetracted } from './say.ts';

export interface Subject {
  readonly patient_key: string;
  readonly patient_id: string;
  readonly patient_reference: string;
}

export interface Rules {
  /** How long a whole study must not change before it counts as ready. */
  readonly quietMs: number;
  /** First pause before a look at a study whose images are not all there; it doubles up to an hour. */
  readonly lookAgainMs: number;
}

export interface Decision {
  readonly value: StudyRecord;
  readonly events: readonly EngramEvent[];
}

const HOUR_MS = 3_600_000;
/** Looks at an image archive, ever further apart, before a person is asked. */
const LOST_LOOKS = 8;
const LOST = { code: 'UPSTREAM_FAILED', reason: 'the image archive has not answered with the study for a long time' };

/** What the study waits for by itself; pairing is the session's matter. */
function ownAwaiting(observed: ObservedStudy, quietLeftMs: number): readonly Awaiting[] {
  const { announced, found, unreachable } = observed;
  if (unreachable)
    return [{ what: 'instances', why: 'the image archive does not have the study yet, or does not answer' }];
  if (found !== null && found < announced) {
    return [{ what: 'instances', why: `${found} of ${announced} announced instances are there` }];
  }
  if (quietLeftMs > 0) return [{ what: 'quiet', why: 'the study changed a moment ago' }];
  return [];
}

/** The parts of the record that others are told of. */
const told = ({ study_version, series, state, awaiting, session_id, session_date }: StudyRecord): string =>
  JSON.stringify([study_version, series, state, awaiting, session_id, session_date]);

/** Version and events where what is told changed; the record alone where only its clock did. */
export function withEvents(current: StudyRecord | undefined, next: StudyRecord, time: Date): Decision {
  const saying: Saying = { time, traceparent: next.traceparent };
  if (current && told(current) === told(next) && current.problem?.code === next.problem?.code) {
    return { value: { ...next, version: current.version }, events: [] };
  }
  const value = { ...next, version: (current?.version ?? 0) + 1 };
  const isNewProblem = value.problem !== null && value.problem.code !== current?.problem?.code;
  const review = isNewProblem && value.problem ? [sayReviewRequested(value, value.problem, saying)] : [];
  return { value, events: [sayStudyReceived(value, saying), ...review] };
}

/**
 * A study seen again unchanged decides nothing; grown, it is a new version that must be quiet anew.
 * @returns undefined when the record may stay as it is.
 */
export function decideStudy(
  current: StudyRecord | undefined,
  observed: ObservedStudy,
  subject: Subject,
  rules: Rules,
  now: Date,
  traceparent: string | null,
): Decision | undefined {
  const at = now.getTime();
  const known = current && current.retracted === null ? current : undefined;
  const isNew = known?.study_version !== observed.study_version;
  const changed_at = isNew ? at : known.changed_at;
  const hasImages = observed.t1 !== null || observed.pet !== null;
  const awaiting = ownAwaiting(observed, changed_at + rules.quietMs - at);
  const isWaiting = awaiting.length > 0 && (hasImages || observed.unreachable);
  const looks = isNew ? 0 : known.looks + 1;
  const lookAgainMs = Math.min(HOUR_MS, rules.lookAgainMs * 2 ** Math.min(looks, 12));
  const due_at = !isWaiting ? null : awaiting[0]?.what === 'quiet' ? changed_at + rules.quietMs : at + lookAgainMs;
  const t1 = usable(observed.t1);
  const pet = usable(observed.pet);
  const isLost = observed.unreachable && looks >= LOST_LOOKS;
  const next: StudyRecord = {
    ...subject,
    study_id: observed.study_id,
    study_uid: observed.study_uid,
    study_version: observed.study_version,
    fingerprint: observed.fingerprint,
    version: current?.version ?? 0,
    series: observed.series,
    t1,
    pet,
    state: isWaiting ? 'waiting' : t1 !== null || pet !== null ? 'ready' : 'unusable',
    awaiting: isWaiting
      ? awaiting
      : isNew
        ? []
        : (known?.awaiting.filter(({ what }) => what === 't1' || what === 'pet') ?? []),
    problem: observed.problem ?? (isLost ? LOST : null),
    retracted: null,
    withdrawals: current ? withdrawalsOf(current) : 0,
    session_id: known?.session_id ?? null,
    session_date: known?.session_date ?? null,
    changed_at,
    due_at,
    looks,
    traceparent: isNew ? traceparent : known.traceparent,
  };
  const decision = withEvents(current, next, now);
  const isSame =
    current !== undefined &&
    decision.events.length === 0 &&
    current.due_at === due_at &&
    current.fingerprint === next.fingerprint;
  return isSame ? undefined : decision;
}

/** Without a day a candidate belongs to no session. */
const usable = (candidate: Candidate | null): Candidate | null => (candidate?.acquired == null ? null : candidate);

/** Withdraws a study; second time does nothing. */
export function decideRetraction(
  current: StudyRecord | undefined,
  why: RetractedWhy,
  now: Date,
  traceparent: string | null,
): Decision | undefined {
  if (!current || current.retracted !== null) return undefined;
  const version = current.version + 1;
  const value: StudyRecord = {
    ...current,
    version,
    state: 'retracted',
    retracted: why,
    withdrawals: withdrawalsOf(current) + 1,
    awaiting: [],
    due_at: null,
    session_id: null,
    session_date: null,
    fingerprint: '',
    traceparent,
  };
  return { value, events: [sayStudyRetracted(current, why, version, { time: now, traceparent })] };
}
