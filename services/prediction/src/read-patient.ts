/** Everything measured of a patient, from the FHIR server: never what an algorithm asserted. */
import { FHIR_URLS, type PatientKey, PREPROCESSING_STATUS, type PreprocessingStatus } from '@engram/contracts';
import {
  demographicSearchTokens,
  type FhirClient,
  readDemographics,
  readScores,
  type ScoreWarning,
  scoreSearchTokens,
} from '@engram/fhir';
import type { ImagingStudy } from '@medplum/fhirtypes';
import type { PatientInputs, StudyStatus } from './projection.ts';

export interface ReadPatientOptions {
  readonly now: Date;
  /** Reads the two LOINC codes of older documents that do not mean what they say, with a warning each. */
  readonly acceptMisusedCodes?: boolean;
}

/** LOINC codes in circulation for CDR and ADAS-Cog that mean something else; searched for only on request. */
const MISUSED_TOKENS = 'http://loinc.org|52493-4,http://loinc.org|54629-3';

const BRAIN_MODALITIES = new Set(['MR', 'PT']);
const statuses: readonly string[] = PREPROCESSING_STATUS;
const isStatus = (code: string): code is PreprocessingStatus => statuses.includes(code);

function statusOf(study: ImagingStudy): StudyStatus | undefined {
  if (study.id === undefined || study.status === 'entered-in-error' || study.status === 'cancelled') return undefined;
  const codes = [...(study.modality ?? []), ...(study.series ?? []).map((series) => series.modality)];
  const concerned = codes.length === 0 || codes.some((coding) => BRAIN_MODALITIES.has(coding?.code ?? ''));
  const said = study.extension?.find((each) => each.url === FHIR_URLS.preprocessingStatus)?.valueCode ?? '';
  const status = isStatus(said) ? said : null;
  if (status === null && !concerned) return undefined;
  return { study_id: study.id, status, updated_at: study.meta?.lastUpdated ?? null };
}

/** @returns undefined when the server does not know the patient. @throws UPSTREAM_FAILED and what else the port throws */
export async function readPatient(
  fhir: FhirClient,
  patientId: string,
  patientKey: PatientKey,
  { now, acceptMisusedCodes = false }: ReadPatientOptions,
): Promise<PatientInputs | undefined> {
  const reference = `Patient/${patientId}`;
  const scoreCodes = [scoreSearchTokens(), ...(acceptMisusedCodes ? [MISUSED_TOKENS] : [])].join(',');
  const [patient, scored, described, studies] = await Promise.all([
    fhir.read('Patient', patientId),
    fhir.search('Observation', { patient: reference, code: scoreCodes }),
    fhir.search('Observation', { patient: reference, code: demographicSearchTokens() }),
    fhir.search('ImagingStudy', { patient: reference }),
  ]);
  if (!patient) return undefined;
  const warnings: ScoreWarning[] = [];
  const scores = readScores(scored, { acceptMisused: acceptMisusedCodes, warn: (each) => warnings.push(each) });
  const { sex, educationYears, apoe4 } = readDemographics(patient, described, now.toISOString().slice(0, 10));
  return {
    patient_key: patientKey,
    patient_id: patientId,
    patient_reference: reference,
    birth_date: patient.birthDate ?? null,
    sex,
    education_years: educationYears,
    apoe4,
    scores,
    score_warnings: warnings,
    studies: studies.flatMap((study) => statusOf(study) ?? []),
    read_at: now.toISOString(),
  };
}
