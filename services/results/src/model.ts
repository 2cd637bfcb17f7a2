/** What results keeps: projections, owned here and rebuilt from events; nobody else reads these collections. */
import type { PipelineName, Priority, QcVerdict, RunStatus, TaskStatus } from '@engram/contracts';

export interface StudyOfRun {
  readonly role: 't1' | 'pet';
  readonly study_id: string;
  readonly study_uid: string;
}

export interface RunRecord {
  readonly run_id: string;
  readonly pipeline: PipelineName;
  readonly patient_key: string;
  readonly session_id: string;
  readonly session_date: string;
  /** Version of the session that the run was asked for of. Absent in records of before it was said. */
  readonly session_version?: number | undefined;
  readonly studies: readonly StudyOfRun[];
  readonly status: RunStatus;
  readonly priority: Priority;
  readonly fraction: number;
  readonly seconds_left: number | null;
  readonly tasks: readonly { readonly name: string; readonly status: TaskStatus }[];
  readonly qc_verdict: QcVerdict | null;
  readonly qc_reasons: readonly string[];
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly seconds: number | null;
  readonly trace_id: string | null;
  readonly created_at: string;
  readonly updated_at: string;
  /** Subject version of the last event applied. */
  readonly version: number;
  /** Commands given by API so far: makes the next command's id. */
  readonly commands: number;
}

export interface StudyRecord {
  readonly study_id: string;
  readonly study_uid: string;
  readonly patient_key: string;
  readonly study_version: string;
  readonly session_id: string | null;
  readonly session_date: string | null;
  readonly state: string;
  readonly series: readonly {
    readonly series_uid: string;
    readonly modality: string;
    readonly instances: number;
    readonly role: string;
    readonly reason: string;
  }[];
  readonly awaiting: readonly { readonly what: string; readonly why: string }[];
  readonly retracted: string | null;
  /** Subject version of the last study event applied. */
  readonly version: number;
}

export interface FeatureSetRecord {
  readonly feature_set_id: string;
  readonly patient_key: string;
  readonly session_id: string;
  readonly session_date: string;
  readonly version: number;
  readonly sequence: number;
  readonly qc_verdict: QcVerdict;
  readonly mri: boolean;
  readonly pet: boolean;
  readonly withdrawn: boolean;
  readonly study_ids: readonly string[];
  readonly stored_at: string;
}

export interface ForecastRecord {
  readonly forecast_id: string | null;
  readonly patient_key: string;
  readonly patient_id: string;
  readonly model_version: string | null;
  readonly feature_set_ids: readonly string[];
  readonly study_ids: readonly string[];
  readonly refused: { readonly code: string; readonly reason: string } | null;
  readonly withdrawn: boolean;
  /** Subject version of the last event applied. Absent in records of before it was kept. */
  readonly sequence?: number;
  readonly at: string;
}

export interface ReviewRecord {
  readonly patient_key: string;
  readonly about: string;
  readonly about_id: string;
  readonly code: string;
  readonly reason: string;
  readonly at: string;
}

/** What one fact has become on the FHIR server: what the write-back count counts. Its id is that of the fact. */
export interface WrittenRecord {
  /** Null for what many patients' facts share, such as a model's Device. */
  readonly patient_key: string | null;
  /** `Type/id`, each once. */
  readonly references: readonly string[];
  /** Number of references. Absent in records of before: each was one reference. */
  readonly size: number;
  readonly at: string;
}

export const traceIdOf = (traceparent: string | undefined): string | null => traceparent?.split('-')[1] ?? null;
