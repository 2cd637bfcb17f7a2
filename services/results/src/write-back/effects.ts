/** The write-backs: what each fact becomes on the FHIR server. Every path may be walked twice. */
import type { Forecast, PreprocessingStatus, RoiFeatures } from '@engram/contracts';
import type { Observation, Reference } from '@medplum/fhirtypes';
import type { StudyRecord } from '../model.ts';
import { apply } from '../store.ts';
import { engineDevice, modelCard, modelDevice } from './device.ts';
import { featureObservations } from './feature-observations.ts';
import {
  basisOf,
  diagnosticReport,
  type ForecastFacts,
  forecastObservations,
  riskAssessment,
} from './forecast-resources.ts';
import { writeStatus } from './imaging-study.ts';
import { forecastProvenance, provenanceCondition } from './provenance.ts';
import { type WriterDeps, writerFor } from './write.ts';

/** A later fact was reported already. Of a withdrawn study nothing but that is ever news, however late it is told. */
const isOvertaken = ({ status, retracted }: StudyRecord, news: PreprocessingStatus, at: string): boolean =>
  retracted === null ? status !== null && status.at > at : news !== 'withdrawn';

/**
 * Sets a study's status extension, unless a later fact already did. The fact is recorded first and the server is told what
 * the record says by then, so that of two writers at once the later fact stays; a crash between the two repeats the write.
 * @param featuresUrl undefined leaves it as it is
 */
export async function reportStatus(
  deps: WriterDeps,
  studyId: string,
  status: PreprocessingStatus,
  at: string,
  featuresUrl?: string | null,
): Promise<void> {
  const { studies } = deps.store;
  let isOld = false;
  const known = await apply(studies, studyId, (current: StudyRecord | undefined) => {
    isOld = current !== undefined && isOvertaken(current, status, at);
    if (current === undefined || isOld) return undefined;
    const features_url = featuresUrl === undefined ? current.status?.features_url : featuresUrl;
    return { ...current, status: { value: status, at, ...(features_url === undefined ? {} : { features_url }) } };
  });
  if (isOld) return;
  const wrote = await writeStatus(deps.fhir, studyId, async () => {
    const said = (await studies.get(studyId))?.value.status;
    return said ? { status: said.value, featuresUrl: said.features_url } : { status, featuresUrl };
  });
  if (known !== undefined && wrote) {
    await writerFor(deps, known.patient_key, 'status').count(`ImagingStudy/${studyId}`);
  }
}

export interface FeaturesWritten {
  readonly featureSetId: string;
  readonly version: number;
  readonly patientKey: string;
  readonly patientReference: string;
  readonly studyIds: readonly string[];
  readonly issued: string;
  readonly withdrawn: boolean;
  /** The PET that an earlier version rested on was taken back. */
  readonly petTakenBack: boolean;
}

export async function writeFeatures(deps: WriterDeps, features: RoiFeatures, facts: FeaturesWritten): Promise<void> {
  const writer = writerFor(deps, facts.patientKey, facts.featureSetId);
  const deviceReference = await writer.put(engineDevice(features.preprocessing_version));
  await writer.putAll(featureObservations({ ...facts, features, deviceReference }));
}

export interface ForecastWritten {
  readonly patientKey: string;
  readonly patientReference: string;
  readonly studyIds: readonly string[];
  readonly modelCardText: string;
  readonly withdrawn: boolean;
}

export async function writeForecast(deps: WriterDeps, forecast: Forecast, facts: ForecastWritten): Promise<void> {
  const writer = writerFor(deps, facts.patientKey, forecast.forecast_id);
  const deviceReference = await writer.put(modelDevice(forecast));
  const cardReference = await writer.put(
    modelCard(forecast.model_version, facts.modelCardText, forecast.prediction_timestamp),
  );
  const shared: ForecastFacts = {
    forecast,
    patientReference: facts.patientReference,
    studyIds: facts.studyIds,
    deviceReference,
    withdrawn: facts.withdrawn,
  };
  const observations: readonly Observation[] = forecastObservations(shared);
  const numbers = await writer.putAll(observations);
  const risk = await writer.put(riskAssessment(shared));
  const report = await writer.put(diagnosticReport(shared, numbers));
  const targets: Reference[] = [{ reference: report }, { reference: risk }, ...numbers];
  await writer.createOnce(
    forecastProvenance(targets, deviceReference, cardReference, basisOf(shared), forecast.prediction_timestamp),
    provenanceCondition(report, deviceReference),
  );
}
