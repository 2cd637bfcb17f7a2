/** The collections of prediction; one query a function. */
import type { EngramEvent, PatientKey } from '@engram/contracts';
import { type Collection, modify, type Records } from '@engram/records';
import type { ForecastRecord, PatientRecord, SessionFeatures } from './projection.ts';

export interface Change<T> {
  readonly value: T;
  readonly events?: readonly EngramEvent[];
}

export interface PredictionStore {
  sessionsOf(patientKey: PatientKey): Promise<readonly SessionFeatures[]>;
  /** Keeps a session's features unless the same or a newer fact about them is known. */
  keepSession(session: SessionFeatures): Promise<void>;
  /** Takes a session that rests on a study out of use before the feature store has said so; its next fact decides. */
  maskSession(featureSetId: string, studyId: string): Promise<void>;
  patient(patientKey: PatientKey): Promise<PatientRecord | undefined>;
  changePatient(
    patientKey: PatientKey,
    decide: (current: PatientRecord | undefined) => Change<PatientRecord> | undefined,
  ): Promise<PatientRecord | undefined>;
  forgetPatient(patientKey: PatientKey): Promise<void>;
  forecast(id: string): Promise<ForecastRecord | undefined>;
  changeForecast(
    id: string,
    decide: (current: ForecastRecord | undefined) => Change<ForecastRecord> | undefined,
  ): Promise<ForecastRecord | undefined>;
  /** Newest first. */
  forecastsOf(patientKey: PatientKey): Promise<readonly ForecastRecord[]>;
  ping(): Promise<void>;
}

export function openPredictionStore(records: Records): PredictionStore {
  const sessions: Collection<SessionFeatures> = records.collection({
    name: 'prediction.feature-sets',
    indexes: ['patient_key', 'session_date'],
  });
  const patients: Collection<PatientRecord> = records.collection({ name: 'prediction.patients' });
  const forecasts: Collection<ForecastRecord> = records.collection({
    name: 'prediction.forecasts',
    indexes: ['patient_key', 'made_at'],
  });
  const changed =
    <T>(collection: Collection<T>) =>
    async (id: string, decide: (current: T | undefined) => Change<T> | undefined): Promise<T | undefined> => {
      const record = await modify(collection, id, (current) => {
        const change = decide(current);
        return change && { value: change.value, options: { events: change.events ?? [] } };
      });
      return record?.value;
    };
  return {
    async sessionsOf(patientKey) {
      const found = await sessions.find({
        where: { patient_key: patientKey },
        orderBy: [['session_date', 'asc']],
        limit: 1000,
      });
      return found.records.map((record) => record.value);
    },
    async keepSession(session) {
      await changed(sessions)(session.feature_set_id, (current) =>
        current && current.sequence >= session.sequence ? undefined : { value: session },
      );
    },
    async maskSession(featureSetId, studyId) {
      // Asked of the session as it is by now: the feature store may have said what is left.
      await changed(sessions)(featureSetId, (current) =>
        current?.study_ids.includes(studyId)
          ? { value: { ...current, withdrawn: true, mri: null, pet: null } }
          : undefined,
      );
    },
    patient: async (patientKey) => (await patients.get(patientKey))?.value,
    changePatient: changed(patients),
    forgetPatient: (patientKey) => patients.remove(patientKey),
    forecast: async (id) => (await forecasts.get(id))?.value,
    changeForecast: changed(forecasts),
    async forecastsOf(patientKey) {
      const found = await forecasts.find({
        where: { patient_key: patientKey },
        orderBy: [['made_at', 'desc']],
        limit: 1000,
      });
      return found.records.map((record) => record.value);
    },
    ping: async () => void (await forecasts.get('readyz')),
  };
}
