/** What Engram wrote into the FHIR server: all of it there, once, and valid by HAPI's own validator. */
import assert from 'node:assert/strict';
import { AI_ASSERTED, FHIR_URLS, type RoiFeatures } from '@engram/contracts';
import type { FhirClient } from '@engram/fhir';
import type { Observation, OperationOutcome, Resource, ResourceType } from '@medplum/fhirtypes';
import type { Outcome } from '../follow.ts';
import type { Report } from '../report.ts';
import { STUDY_ID } from '../resources.ts';

const WRITTEN = [
  'ImagingStudy',
  'Observation',
  'RiskAssessment',
  'DiagnosticReport',
  'Device',
  'DocumentReference',
  'Provenance',
] as const satisfies readonly ResourceType[];

const PREDICTED = 40;

export interface FhirFacts {
  readonly fhir: FhirClient;
  readonly outcome: Outcome;
  /** Ingestion's base URL. */
  readonly ingestion: string;
  /** POST a resource, get an OperationOutcome. */
  readonly validator: string;
}

export async function checkFhir(report: Report, { fhir, outcome, ingestion, validator }: FhirFacts): Promise<void> {
  const area = 'FHIR';
  const found = new Map<string, readonly Resource[]>();
  for (const type of WRITTEN) found.set(type, await fhir.search(type, {}));
  const observations = (found.get('Observation') ?? []) as readonly Observation[];

  await report.check(area, "ingestion's Subscriptions are active on the server", async () => {
    const all = await fhir.search('Subscription', {});
    const own = all.filter(({ channel }) => channel.endpoint?.startsWith(ingestion));
    assert.deepEqual(own.map(({ criteria, status }) => `${criteria.split('?')[0]} ${status}`).sort(), [
      'ImagingStudy active',
      'Observation active',
      'Patient active',
    ]);
    return undefined;
  });
  await report.check(area, 'the study says that it is done and where its features are read', async () => {
    const study = await fhir.read('ImagingStudy', STUDY_ID);
    const extension = (url: string) => study?.extension?.find((one) => one.url === url);
    assert.equal(extension(FHIR_URLS.preprocessingStatus)?.valueCode, 'completed');
    const response = await fetch(extension(FHIR_URLS.preprocessedFeaturesUrl)?.valueUrl ?? '');
    assert.equal(response.status, 200);
    assert.deepEqual(await response.json(), outcome.features);
    return undefined;
  });
  await report.check(
    area,
    'the measurements of the session are Observations, with the values of the feature set',
    () => {
      const values = new Map(observations.map((one) => [codeOf(one), one.valueQuantity?.value]));
      const expected = measurementsOf(outcome.features);
      for (const [code, value] of Object.entries(expected)) assert.ok(isClose(values.get(code), value), code);
      return Object.keys(expected).join(', ');
    },
  );
  await report.check(area, 'each predicted value is an Observation, marked as asserted by an algorithm', () => {
    const predicted = observations.filter(isPredicted);
    const reports = found.get('DiagnosticReport')?.length ?? 0;
    assert.ok(reports > 0);
    assert.equal(predicted.length, PREDICTED * reports);
    assert.equal(found.get('RiskAssessment')?.length, reports);
    for (const { meta } of predicted) assert.ok(meta?.security?.some(({ code }) => code === AI_ASSERTED.code));
    return `${predicted.length} of ${reports} forecasts`;
  });
  await report.check(area, 'no identifier of ours is there twice', () => {
    const identifiers = [...found.values()].flat().flatMap(ownIdentifiers);
    assert.equal(new Set(identifiers).size, identifiers.length);
    return `${identifiers.length}`;
  });
  await report.check(area, 'every resource that was written is valid by the HAPI validator', async () => {
    const written = [...found.values()].flat();
    const errors = new Set<string>();
    for (const resource of written) for (const error of await errorsOf(validator, resource)) errors.add(error);
    assert.deepEqual([...errors], []);
    return WRITTEN.map((type) => `${found.get(type)?.length} ${type}`).join(', ');
  });
}

const codeOf = ({ code }: Observation): string => code.coding?.[0]?.code ?? '';
const isPredicted = (observation: Observation): boolean => codeOf(observation).startsWith('predicted-');

/** What a chart shows of a feature set: mL, and a ratio. */
function measurementsOf({ head_size_ml, tissue_ml, quality_metrics, ...features }: RoiFeatures) {
  const regionMl = (name: string): number =>
    (features.mri_roi_features[features.region_list.regions.findIndex((region) => region.name === name)] ?? 0) / 1000;
  return {
    'head-size': head_size_ml,
    'grey-matter-volume': tissue_ml.gm,
    'white-matter-volume': tissue_ml.wm,
    'ventricle-volume': tissue_ml.ventricles,
    'hippocampus-left-volume': regionMl('Hippocampus_L'),
    'hippocampus-right-volume': regionMl('Hippocampus_R'),
    'mri-snr': quality_metrics.mri_snr,
  };
}

/** They are written with two decimals. */
const isClose = (written: number | undefined, value: number): boolean =>
  written !== undefined && Math.abs(written - value) <= 0.005 + 1e-9;

const ownIdentifiers = (resource: Resource): string[] =>
  'identifier' in resource && Array.isArray(resource.identifier)
    ? resource.identifier
        .filter(({ system }) => system?.startsWith('https://engram.dev/'))
        .map(({ system, value }) => `${system}|${value}`)
    : [];

async function errorsOf(validator: string, resource: Resource): Promise<string[]> {
  const response = await fetch(validator, { method: 'POST', body: JSON.stringify(resource) });
  assert.equal(response.status, 200);
  const { issue } = (await response.json()) as OperationOutcome;
  return issue
    .filter(({ severity }) => severity === 'error' || severity === 'fatal')
    .map(({ diagnostics, expression, location }) => {
      const place = (expression ?? location ?? []).join(' ');
      return `${resource.resourceType} at ${place}: ${diagnostics}`;
    });
}
