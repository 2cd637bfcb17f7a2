/** What prediction keeps of a patient: measured inputs as projections, and the forecasts made from them. */
import type { Forecast, PatientKey, PreprocessingStatus, QcVerdict } from '@engram/contracts';
import type { MeasuredScore, ScoreWarning } from '@engram/fhir';

export type { MeasuredScore };

/** Regional numbers of one session, already summed into the model's region groups. */
export interface SessionFeatures {
  readonly feature_set_id: string;
  readonly patient_key: PatientKey;
  /** Subject version of the last event applied: an older one is ignored. */
  readonly sequence: number;
  readonly version: number;
  readonly digest: string;
  readonly session_id: string;
  readonly session_date: string;
  readonly qc_verdict: QcVerdict;
  readonly withdrawn: boolean;
  readonly awaiting_pet: boolean;
  readonly study_ids: readonly string[];
  readonly mri: readonly number[] | null;
  readonly pet: { readonly kind: 'fdg' | 'amyloid' | 'unknown'; readonly groups: readonly number[] } | null;
}

/** Where the preprocessing of a study stands, as the FHIR server says. */
export interface StudyStatus {
  readonly study_id: string;
  readonly status: PreprocessingStatus | null;
  readonly updated_at: string | null;
}

/** What the FHIR server said of a patient, and what was concluded from it last. */
export interface PatientInputs {
  readonly patient_key: PatientKey;
  readonly patient_id: string;
  readonly patient_reference: string;
  readonly birth_date: string | null;
  readonly sex: 'female' | 'male' | null;
  readonly education_years: number | null;
  readonly apoe4: number | null;
  readonly scores: readonly MeasuredScore[];
  readonly score_warnings: readonly ScoreWarning[];
  readonly studies: readonly StudyStatus[];
  readonly read_at: string;
}

export interface PatientRecord {
  readonly inputs: PatientInputs;
  readonly forecast_id: string | null;
  readonly refusal: { readonly code: string; readonly reason: string } | null;
  /** How often the patient was read: what is concluded from an earlier reading replaces nothing. */
  readonly readings?: number;
  /** Number of refusals said: the subject version of the last. */
  readonly refusals: number;
}

export interface ForecastRecord {
  readonly patient_key: PatientKey;
  readonly made_at: string;
  readonly forecast: Forecast;
  /** Why the forecast no longer stands; null while it does. */
  readonly withdrawn: string | null;
  /** Subject version of the last event about it. */
  readonly sequence: number;
}

/** A forecast as it is given to others after it was made. */
export const storedForecast = ({ forecast }: Pick<ForecastRecord, 'forecast'>): Forecast => ({
  ...forecast,
  cached: true,
});
