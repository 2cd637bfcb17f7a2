/**
 * Measurements of a session as Observations: head size, tissue volumes, hippocampi, mean SUVR, quality. One resource a
 * measurement and session: a new version of the feature set updates it, and the server keeps the earlier one as history.
 */
import { FHIR_URLS, type RoiFeatures } from '@engram/contracts';
import type { Observation } from '@medplum/fhirtypes';
import { concept, identifier, quantity, researchNote, rounded } from './observation.ts';

export interface FeatureFacts {
  readonly featureSetId: string;
  readonly version: number;
  readonly patientReference: string;
  readonly studyIds: readonly string[];
  readonly features: RoiFeatures;
  readonly deviceReference: string;
  /** When the feature set was stored. */
  readonly issued: string;
  readonly withdrawn: boolean;
}

interface Measurement {
  readonly code: string;
  readonly display: string;
  readonly value: number;
  readonly unit: string;
  readonly ucum: string;
}

const MEAN_SUVR = { code: 'mean-suvr', display: 'Mean SUVR of the brain, reference whole cerebellum' } as const;

/** The 93 regions go into one Observation each only on request: the summary is what a chart shows. */
function measurements({ features }: FeatureFacts): Measurement[] {
  const ml = (code: string, display: string, value: number): Measurement => ({
    code,
    display,
    value: rounded(value, 2),
    unit: 'mL',
    ucum: 'mL',
  });
  const regionVolume = (name: string): number =>
    features.mri_roi_features[features.region_list.regions.findIndex((region) => region.name === name)] ?? Number.NaN;
  const { tissue_ml: tissue, quality_metrics: quality } = features;
  const all: Measurement[] = [
    ml('head-size', 'Estimated total intracranial volume', features.head_size_ml),
    ml('grey-matter-volume', 'Grey matter volume', tissue.gm),
    ml('white-matter-volume', 'White matter volume', tissue.wm),
    ml('ventricle-volume', 'Ventricle volume', tissue.ventricles),
    ml('hippocampus-left-volume', 'Left hippocampus grey matter volume', regionVolume('Hippocampus_L') / 1000),
    ml('hippocampus-right-volume', 'Right hippocampus grey matter volume', regionVolume('Hippocampus_R') / 1000),
    {
      code: 'mri-snr',
      display: 'Signal to noise ratio of the T1 in white matter',
      value: rounded(quality.mri_snr, 2),
      unit: 'ratio',
      ucum: '1',
    },
  ];
  if (quality.pet_mean_suvr !== null) {
    all.push({
      ...MEAN_SUVR,
      value: rounded(quality.pet_mean_suvr, 4),
      unit: 'SUVR',
      ucum: '1',
    });
  }
  return all.filter((measurement) => Number.isFinite(measurement.value));
}

export interface FeatureObservations {
  readonly measured: readonly Observation[];
  /** What replaces measurements of an earlier version that this one does not have. */
  readonly takenBack: readonly Observation[];
}

export function featureObservations(facts: FeatureFacts): FeatureObservations {
  const { features } = facts;
  const verdict = features.quality_metrics.verdict;
  const measured = measurements(facts).map(
    (measurement): Observation => ({
      resourceType: 'Observation',
      identifier: [identifier(FHIR_URLS.identifiers.observation, `${facts.featureSetId}/${measurement.code}`)],
      // A verdict short of pass is preliminary until a person has looked.
      status: facts.withdrawn ? 'entered-in-error' : verdict === 'pass' ? 'final' : 'preliminary',
      category: [
        { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'imaging' }] },
      ],
      code: concept(FHIR_URLS.measurements, measurement.code, measurement.display),
      subject: { reference: facts.patientReference },
      effectiveDateTime: features.session_date.slice(0, 10),
      issued: facts.issued,
      valueQuantity: quantity(measurement.value, measurement.unit, measurement.ucum),
      method: {
        text: `Engram ${features.lineage.pipeline} ${features.lineage.pipeline_version}, atlas ${features.lineage.atlas.name}`,
      },
      device: { reference: facts.deviceReference },
      derivedFrom: facts.studyIds.map((id) => ({ reference: `ImagingStudy/${id}` })),
      note: [
        ...researchNote,
        { text: `Feature set ${facts.featureSetId} version ${facts.version}; quality control: ${verdict}` },
      ],
    }),
  );
  return { measured, takenBack: features.pet_roi_features === null ? [suvrTakenBack(facts)] : [] };
}

/** The mean SUVR without its value: what replaces it on the server when its PET was in error. */
const suvrTakenBack = (facts: FeatureFacts): Observation => ({
  resourceType: 'Observation',
  identifier: [identifier(FHIR_URLS.identifiers.observation, `${facts.featureSetId}/${MEAN_SUVR.code}`)],
  status: 'entered-in-error',
  code: concept(FHIR_URLS.measurements, MEAN_SUVR.code, MEAN_SUVR.display),
  subject: { reference: facts.patientReference },
  effectiveDateTime: facts.features.session_date.slice(0, 10),
  issued: facts.issued,
  dataAbsentReason: {
    coding: [{ system: 'http://terminology.hl7.org/CodeSystem/data-absent-reason', code: 'error' }],
  },
  device: { reference: facts.deviceReference },
  note: researchNote,
});
