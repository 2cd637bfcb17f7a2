/** What the services keep, as far as the checks look at it: read from the record store as it stands. */
import type { Forecast, RunInput } from '@engram/contracts';
import type { Scenario } from '../hospital.ts';
import type { BusState } from '../ports/bus.ts';
import type { FhirState } from '../ports/fhir.ts';
import type { ObjectsState } from '../ports/objects.ts';
import type { RecordsState } from '../ports/records.ts';

export interface Rest {
  readonly scenario: Scenario;
  readonly records: RecordsState;
  readonly objects: ObjectsState;
  readonly fhir: FhirState;
  readonly bus: BusState;
}

export interface Run {
  readonly run_id: string;
  readonly open: boolean;
  readonly status: string;
  readonly error: { readonly code: string; readonly retryable: boolean } | null;
  readonly inputs: readonly RunInput[];
}

export interface FeatureSet {
  readonly feature_set_id: string;
  readonly patient_id: string;
  readonly patient_key: string;
  readonly session_id: string;
  readonly session_date: string;
  readonly current: number | null;
  readonly versions: readonly {
    readonly version: number;
    readonly digest: string;
    readonly run_id: string;
    readonly awaiting_pet: boolean;
    readonly features_key: string;
    readonly studies: readonly { readonly study_id: string }[];
    readonly artifacts: readonly { readonly name: string; readonly sha256: string }[];
  }[];
}

export interface PatientRecord {
  readonly forecast_id: string | null;
  readonly refusal: { readonly code: string } | null;
}

export interface ForecastRecord {
  readonly forecast: Forecast;
  readonly withdrawn: string | null;
}

export const runsOf = ({ records }: Rest): readonly Run[] => records.values<Run>('preprocessing.runs');
export const featureSetsOf = ({ records }: Rest): readonly FeatureSet[] =>
  records.values<FeatureSet>('feature-store.feature-sets');
export const forecastsOf = ({ records }: Rest): readonly ForecastRecord[] =>
  records.values<ForecastRecord>('prediction.forecasts');

/** A check says what is wrong, in words; nothing when all is right. */
export type Check = (rest: Rest) => readonly string[];
