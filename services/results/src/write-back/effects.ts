/** The write-backs: what each fact becomes on the FHIR server. Every path may be walked twice. */
import type { Forecast, RoiFeatures } from '@engram/contracts';
import type { Reference } from '@medplum/fhirtypes';
import { countWritten, ofPatient } from '../store.ts';
import { studyStatus } from '../study-status.ts';
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

export interface StatusDeps extends WriterDeps {
  /** Where the features of a feature set's version are read by others: the value of the study's URL extension. */
  readonly featuresUrl: (featureSetId: string, version: number) => string;
}

/**
 * Sets the status extension of studies to what the projections say of them. They are read after the study, which is written
 * only as it was read: of two writers at once the one that knows less is refused and looks again.
 */
export async function reportStatus(deps: StatusDeps, patientKey: string, studyIds: Iterable<string>): Promise<void> {
  const { fhir, store, featuresUrl, now } = deps;
  for (const id of new Set(studyIds)) {
    const wrote = await writeStatus(fhir, id, async () => {
      const [studies, runs, sets] = await Promise.all([
        ofPatient(store.studies, patientKey, 'session_id'),
        ofPatient(store.runs, patientKey, 'created_at'),
        ofPatient(store.featureSets, patientKey, 'session_date'),
      ]);
      const said = studyStatus(id, { studies, runs, sets });
      const features = said?.features;
      return said && { ...said, featuresUrl: features ? featuresUrl(features.feature_set_id, features.version) : null };
    });
    const study = `ImagingStudy/${id}`;
    if (wrote) await countWritten(store, { id: study, patientKey, at: now() }, [study]);
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
  /** Subject version of what was said: what the resources state. */
  readonly sequence: number;
}

export async function writeFeatures(deps: WriterDeps, features: RoiFeatures, facts: FeaturesWritten): Promise<void> {
  const writer = writerFor(deps);
  const deviceReference = await writer.share(engineDevice(features.preprocessing_version));
  const { measured, takenBack } = featureObservations({ ...facts, features, deviceReference });
  const written = await writer.forward(facts.sequence, measured, takenBack);
  await countWritten(deps.store, { ...facts, id: facts.featureSetId, at: deps.now() }, namesOf(written));
}

const namesOf = (references: readonly Reference[]): string[] => references.map(({ reference = '' }) => reference);

export interface ForecastWritten {
  readonly patientKey: string;
  readonly patientReference: string;
  readonly studyIds: readonly string[];
  readonly modelCardText: string;
  readonly withdrawn: boolean;
  /** Subject version of what was said: what the resources state. */
  readonly sequence: number;
}

export async function writeForecast(deps: WriterDeps, forecast: Forecast, facts: ForecastWritten): Promise<void> {
  const writer = writerFor(deps);
  const deviceReference = await writer.share(modelDevice(forecast));
  const cardReference = await writer.share(
    modelCard(forecast.model_version, facts.modelCardText, forecast.prediction_timestamp),
  );
  const shared: ForecastFacts = {
    forecast,
    patientReference: facts.patientReference,
    studyIds: facts.studyIds,
    deviceReference,
    withdrawn: facts.withdrawn,
  };
  const numbers = await writer.forward(facts.sequence, forecastObservations(shared));
  const risk = await writer.forward(facts.sequence, [riskAssessment(shared)]);
  const reports = await writer.forward(facts.sequence, [diagnosticReport(shared, numbers)]);
  const written = [...reports, ...risk, ...numbers];
  const provenance = await writer.createOnce(
    forecastProvenance(written, deviceReference, cardReference, basisOf(shared), forecast.prediction_timestamp),
    provenanceCondition(reports[0]?.reference ?? '', deviceReference),
  );
  const fact = { id: forecast.forecast_id, patientKey: facts.patientKey, at: deps.now() };
  await countWritten(deps.store, fact, [...namesOf(written), provenance]);
}
