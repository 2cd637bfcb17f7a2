/** What stands on the FHIR server in the end: each resource once, and each says what is so. */
import { FHIR_URLS } from '@engram/contracts';
import type { DiagnosticReport, Identifier, ImagingStudy, Resource } from '@medplum/fhirtypes';
import { featuresUrl, patientKeyOf } from '../platform.ts';
import { runsFor, setFor } from './runs.ts';
import { type Check, featureSetsOf, type PatientRecord, type Rest } from './state.ts';

const HORIZONS_AND_SCORES = 40;
const OURS = ['Observation', 'RiskAssessment', 'DiagnosticReport', 'Device', 'DocumentReference'] as const;

const identifiers = (resource: Resource): readonly string[] =>
  [('identifier' in resource && (resource.identifier as Identifier | Identifier[])) || []]
    .flat()
    .map(({ system, value }) => `${system}|${value}`);

export const resourcesAreOne: Check = ({ fhir }) => [
  ...OURS.flatMap((type) => {
    const seen = new Set<string>();
    return fhir.all(type).flatMap((resource) =>
      identifiers(resource).flatMap((identifier) => {
        const isFirst = !seen.has(identifier);
        seen.add(identifier);
        if (isFirst) return [];
        return [`two resources ${type} are ${identifier}`];
      }),
    );
  }),
  ...fhir.all('DiagnosticReport').flatMap((report) => {
    const found = fhir.search('Provenance', { target: `DiagnosticReport/${report.id}` });
    return found.length === 1 ? [] : [`DiagnosticReport/${report.id} has ${found.length} Provenances`];
  }),
];

/** The report of the forecast in use stands with all its numbers; one that rests on a withdrawn study is in error. */
export const reportsStand: Check = (rest) => [
  ...rest.scenario.patients.flatMap(({ id }) => {
    const patient = rest.records.table('prediction.patients').get(patientKeyOf(id))?.value as PatientRecord | undefined;
    return patient?.forecast_id ? checkReport(rest, patient.forecast_id) : [];
  }),
  ...rest.fhir
    .all('DiagnosticReport')
    .filter(({ status }) => status !== 'entered-in-error')
    .filter(({ imagingStudy }) =>
      imagingStudy?.some(({ reference }) =>
        rest.scenario.withdrawn.includes(reference?.replace('ImagingStudy/', '') ?? ''),
      ),
    )
    .map(({ id }) => `DiagnosticReport/${id} still rests on a withdrawn study`),
];

function checkReport({ fhir }: Rest, forecastId: string): readonly string[] {
  const of = (system: string, value: string) => ({ identifier: `${system}|${value}` });
  const [report] = fhir.search('DiagnosticReport', of(FHIR_URLS.identifiers.report, forecastId)) as DiagnosticReport[];
  const [risk] = fhir.search('RiskAssessment', of(FHIR_URLS.identifiers.riskAssessment, forecastId));
  if (!report || !risk) return [`the forecast ${forecastId} in use is not written back`];
  const numbers = report.result?.filter(({ reference }) => fhir.read('Observation', reference?.split('/')[1] ?? ''));
  return [
    ...(report.status === 'preliminary' ? [] : [`the report of the forecast ${forecastId} in use is ${report.status}`]),
    ...(numbers?.length === HORIZONS_AND_SCORES ? [] : [`the report of ${forecastId} has ${numbers?.length} numbers`]),
  ];
}

export const measurementsAreCurrent: Check = (rest) =>
  featureSetsOf(rest).flatMap(({ feature_set_id, current, versions }) => {
    const written = rest.fhir
      .all('Observation')
      .filter((one) => identifiers(one).some((identifier) => identifier.includes(`|${feature_set_id}/`)));
    if (written.length === 0) return versions.length > 0 ? [`${feature_set_id} is not written back`] : [];
    return written.flatMap((one) => {
      const isInError = one.status === 'entered-in-error';
      if (current === null) return isInError ? [] : [`${identifiers(one)} stands though its set was withdrawn`];
      const isOfCurrent =
        one.note?.some(({ text }) => text?.includes(`${feature_set_id} version ${current};`)) === true;
      // A mean SUVR whose PET was taken back is in error, and of no version.
      return isOfCurrent !== isInError ? [] : [`${identifiers(one)} is ${one.status} and not of version ${current}`];
    });
  });

export const studiesSaySo: Check = (rest) => [
  ...rest.scenario.withdrawn.flatMap((id) => {
    const wasKnown = rest.records.table('results.studies').has(id);
    return !wasKnown || statusOf(rest, id).status === 'withdrawn'
      ? []
      : [`${id} says ${statusOf(rest, id).status}, not withdrawn`];
  }),
  ...rest.scenario.sessions.flatMap((session) => {
    const [run] = runsFor(rest, session);
    const set = setFor(rest, session);
    if (run?.status !== 'completed' && run?.status !== 'failed') return [];
    return session.studies.flatMap((id) => {
      const { status, url } = statusOf(rest, id);
      if (status !== run.status) return [`${id} says ${status}, its run is ${run.status}`];
      const wanted = set && run.status === 'completed' ? featuresUrl(set.feature_set_id, set.current ?? 0) : url;
      return url === wanted ? [] : [`${id} leads to ${url}, not to ${wanted}`];
    });
  }),
];

function statusOf(
  { fhir }: Rest,
  id: string,
): { readonly status: string | undefined; readonly url: string | undefined } {
  const study = fhir.read('ImagingStudy', id) as ImagingStudy | undefined;
  const extension = (url: string) => study?.extension?.find((one) => one.url === url);
  return {
    status: extension(FHIR_URLS.preprocessingStatus)?.valueCode,
    url: extension(FHIR_URLS.preprocessedFeaturesUrl)?.valueUrl,
  };
}
