/** Canonical URLs and identifier systems of what Engram writes into a FHIR server. Never changed once written. */
const BASE = 'https://engram.dev/fhir';

export const FHIR_URLS = {
  /** CodeSystem of our own score codes: `cdr-global`, `cdr-sb`, `adas-cog-13`, and `predicted-…` of forecasts. */
  scores: `${BASE}/CodeSystem/engram-scores`,
  /** CodeSystem of regional and quality measurements. */
  measurements: `${BASE}/CodeSystem/engram-measurements`,
  /** CodeSystem of the components of a forecast: horizon, target date, bounds, level, calibration source. */
  forecastComponents: `${BASE}/CodeSystem/engram-forecast-components`,
  /** ImagingStudy extension, valueCode: where the preprocessing of the study stands. */
  preprocessingStatus: `${BASE}/StructureDefinition/preprocessing-status`,
  /** ImagingStudy extension, valueUrl: where the features of the study's session are read. */
  preprocessedFeaturesUrl: `${BASE}/StructureDefinition/preprocessed-features-url`,
  /** ImagingStudy or series extension, valueUrl: where the images lie, when no DICOMweb endpoint is given. */
  imageUrl: `${BASE}/StructureDefinition/image-url`,
  /** ImagingStudy series extension, valueString: a PET's tracer by name, where no DICOM header says it. */
  tracer: `${BASE}/StructureDefinition/tracer`,
  /** Extension of what is written back, valueInteger: the version of its feature set or forecast that a resource states. */
  statedVersion: `${BASE}/StructureDefinition/stated-version`,
  /** Identifier systems: a value derived from what the resource states makes a write replay-safe. */
  identifiers: {
    observation: `${BASE}/identifier/observation`,
    riskAssessment: `${BASE}/identifier/risk-assessment`,
    report: `${BASE}/identifier/diagnostic-report`,
    device: `${BASE}/identifier/device`,
    modelCard: `${BASE}/identifier/model-card`,
  },
} as const;

/** HL7 AI Transparency: the mark of everything an algorithm asserted. History queries leave it out. */
export const AI_ASSERTED = {
  system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue',
  code: 'AIAST',
  display: 'Artificial Intelligence asserted',
} as const;

/** Values of the preprocessing-status extension. */
export const PREPROCESSING_STATUS = [
  'waiting',
  'queued',
  'in-progress',
  'completed',
  'failed',
  'cancelled',
  'withdrawn',
] as const;
export type PreprocessingStatus = (typeof PREPROCESSING_STATUS)[number];
