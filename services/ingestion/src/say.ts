/** The events of ingestion, built from its records. Pure. */
import { type EngramEvent, events, makeEvent, PIPELINE_VERSIONS, runIdOf } from '@engram/contracts';
import { type Problem, type RetractedWhy, type SessionRecord, type StudyRecord, withdrawalsOf } from './model.ts';

const source = '/engram/ingestion';

export interface Saying {
  readonly time: Date;
  readonly traceparent: string | null;
}

const common = ({ time, traceparent }: Saying) => ({ source, time, traceparent: traceparent ?? undefined });

/** @param study not a retracted one. */
export function sayStudyReceived(study: StudyRecord, saying: Saying): EngramEvent {
  return makeEvent(events.studyReceived, {
    ...common(saying),
    subject: study.study_id,
    subjectVersion: study.version,
    patientKey: study.patient_key,
    data: {
      patient_key: study.patient_key,
      study_id: study.study_id,
      study_uid: study.study_uid,
      study_version: study.study_version,
      series: [...study.series],
      session_id: study.session_id,
      session_date: study.session_date,
      state: study.state === 'retracted' ? 'unusable' : study.state,
      awaiting: [...study.awaiting],
    },
  });
}

/** @param study as it was before. */
export function sayStudyRetracted(study: StudyRecord, why: RetractedWhy, version: number, saying: Saying): EngramEvent {
  return makeEvent(events.studyRetracted, {
    ...common(saying),
    subject: study.study_id,
    subjectVersion: version,
    patientKey: study.patient_key,
    data: {
      patient_key: study.patient_key,
      study_id: study.study_id,
      study_uid: study.study_uid,
      session_id: study.session_id,
      withdrawals: withdrawalsOf(study) + 1,
      why,
    },
  });
}

export function sayReviewRequested(study: StudyRecord, { code, reason }: Problem, saying: Saying): EngramEvent {
  return makeEvent(events.reviewRequested, {
    ...common(saying),
    subject: study.study_id,
    subjectVersion: study.version,
    patientKey: study.patient_key,
    data: { patient_key: study.patient_key, about: 'study', id: study.study_id, code, reason },
  });
}

/** Inputs that ran before run again only after one of their studies was withdrawn: a number that never falls. */
export function requestIdOf({ inputs }: Pick<SessionRecord, 'inputs'>): string {
  const withdrawals = inputs.reduce((sum, input) => sum + (input.withdrawals ?? 0), 0);
  return withdrawals === 0 ? 'ready' : `ready-${withdrawals}`;
}

export const runOf = (session: Pick<SessionRecord, 'inputs'>): string =>
  runIdOf({ pipeline: 'adni', inputs: session.inputs, parameters: {}, requestId: requestIdOf(session) });

export function sayRunRequested(session: SessionRecord, saying: Saying): EngramEvent {
  if (PIPELINE_VERSIONS.adni === undefined) throw new Error('the pipeline adni has no version');
  const runId = runOf(session);
  return makeEvent(events.runRequested, {
    ...common(saying),
    subject: runId,
    subjectVersion: session.version,
    patientKey: session.patient_key,
    data: {
      run_id: runId,
      pipeline: 'adni',
      patient_key: session.patient_key,
      patient_id: session.patient_id,
      patient_reference: session.patient_reference,
      session_id: session.session_id,
      session_date: session.session_date,
      session_version: session.version,
      inputs: [...session.inputs],
      parameters: {},
      priority: 'normal',
      request_id: requestIdOf(session),
      requested_by: 'ingestion',
      awaiting_pet: !session.inputs.some(({ role }) => role === 'pet'),
    },
  });
}

export interface ScoreFacts {
  readonly patient_key: string;
  readonly patient_reference: string;
  readonly reference: string;
  /** `meta.versionId`, or a digest. */
  readonly said: string;
  readonly version: number;
}

export function sayScoreReceived(facts: ScoreFacts, saying: Saying): EngramEvent {
  return makeEvent(events.scoreReceived, {
    ...common(saying),
    subject: facts.reference,
    subjectVersion: facts.version,
    patientKey: facts.patient_key,
    data: {
      patient_key: facts.patient_key,
      patient_reference: facts.patient_reference,
      reference: facts.reference,
      version: facts.said,
    },
  });
}
