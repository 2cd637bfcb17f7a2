/** What ingestion keeps: a study, a session, and how far it has listened. Ids and dates; never a name. */
import type { RunInput } from '@engram/contracts';

export type Awaiting = { readonly what: 'instances' | 'quiet' | 't1' | 'pet'; readonly why: string };
export type RetractedWhy = 'entered-in-error' | 'cancelled' | 'deleted' | 'patient-merged' | 'patient-deleted';

export interface StudySeries {
  readonly series_uid: string;
  readonly modality: string;
  readonly instances: number;
  readonly role: 't1' | 'pet' | 'none';
  readonly reason: string;
}

/** An image that a run can take, without the study that it belongs to. */
export type Candidate = Pick<RunInput, 'series_uid' | 'source' | 'tracer' | 'acquired' | 'reason'>;

export interface Problem {
  readonly code: string;
  readonly reason: string;
}

export interface StudyRecord {
  readonly study_id: string;
  readonly study_uid: string;
  readonly patient_key: string;
  readonly patient_id: string;
  readonly patient_reference: string;
  /** Digest of the sorted series and SOP instance UIDs. */
  readonly study_version: string;
  /** Of what the FHIR resource says, without meta and our own extensions: an equal one needs no second look. */
  readonly fingerprint: string;
  /** Grows with every event about the study. */
  readonly version: number;
  readonly series: readonly StudySeries[];
  readonly t1: Candidate | null;
  readonly pet: Candidate | null;
  readonly state: 'ready' | 'waiting' | 'unusable' | 'retracted';
  readonly awaiting: readonly Awaiting[];
  readonly problem: Problem | null;
  readonly retracted: RetractedWhy | null;
  /** Withdrawals so far. Absent in records of before they were counted. */
  readonly withdrawals?: number;
  readonly session_id: string | null;
  readonly session_date: string | null;
  /** Epoch ms of the last change of `study_version`: quiet is counted from here. */
  readonly changed_at: number;
  /** Epoch ms at which to look again; null when there is nothing to wait for. */
  readonly due_at: number | null;
  /** Looks since the last change: the pause between two grows with it. */
  readonly looks: number;
  readonly traceparent: string | null;
}

export const withdrawalsOf = ({ withdrawals, retracted }: Pick<StudyRecord, 'withdrawals' | 'retracted'>): number =>
  withdrawals ?? (retracted === null ? 0 : 1);

export interface SessionRecord {
  readonly session_id: string;
  readonly version: number;
  readonly patient_key: string;
  readonly patient_id: string;
  readonly patient_reference: string;
  readonly session_date: string;
  readonly state: 'ready' | 'retracted';
  readonly inputs: readonly RunInput[];
  readonly awaiting: readonly Awaiting[];
  readonly run_id: string | null;
}

/** An Observation or Patient whose changes matter to the forecast. */
export interface SourceRecord {
  readonly reference: string;
  readonly patient_key: string;
  readonly patient_reference: string;
  /** What was said last. */
  readonly said: string;
  readonly version: number;
}

export interface CursorRecord {
  /** Largest `meta.lastUpdated` seen. */
  readonly since: string;
}

export interface HeardRecord {
  /** `events-since-subscription-start` of the last notification. */
  readonly count: number;
}
