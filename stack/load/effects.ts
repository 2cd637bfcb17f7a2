/** What a scan must have come to, wherever it is kept: the same however often and in whatever order it was worked on. */
import assert from 'node:assert/strict';
import { eventTypes, topicOf } from '@engram/bus';
import { patientKey } from '@engram/config';
import { type EngramEvent, events, FHIR_URLS } from '@engram/contracts';
import type { FhirClient } from '@engram/fhir';
import type { Observation, Resource } from '@medplum/fhirtypes';
import { kafkaContent } from '../e2e/events.ts';
import type { Report } from '../e2e/report.ts';
import { SITE_SECRET } from '../e2e/settings.ts';
import type { Scan } from './hospital.ts';

/** Observations of one forecast. */
const PREDICTED = 40;
/** Without those that retries, replays and dead letters lie in. */
const OWN_TOPICS = new Set([...eventTypes].map(topicOf));

export interface EffectFacts {
  readonly fhir: FhirClient;
  readonly kafka: string;
  readonly scans: readonly Scan[];
}

export const keyOf = (fhir: FhirClient, { patientId }: Scan): string => patientKey(SITE_SECRET, fhir.base, patientId);

/** How many of the scans the hospital sees as done: features stored and read from where the study says, a forecast reported. */
export async function countDone(fhir: FhirClient, scans: readonly Scan[]): Promise<number> {
  const done = await Promise.all(
    scans.map(async ({ patientId, studyId }) => {
      const study = await fhir.read('ImagingStudy', studyId);
      if (study?.extension?.find(({ url }) => url === FHIR_URLS.preprocessingStatus)?.valueCode !== 'completed')
        return false;
      return (await reportsOf(fhir, patientId)).some(({ imagingStudy }) =>
        imagingStudy?.some(({ reference }) => reference?.endsWith(`ImagingStudy/${studyId}`)),
      );
    }),
  );
  return done.filter(Boolean).length;
}

const reportsOf = (fhir: FhirClient, patientId: string) =>
  fhir.search('DiagnosticReport', { subject: `Patient/${patientId}` });

/** One check a promise: nothing lost, nothing doubled, in order. */
export async function checkEffects(report: Report, area: string, { fhir, kafka, scans }: EffectFacts): Promise<void> {
  const keys = new Set(scans.map((scan) => keyOf(fhir, scan)));
  const all = (await kafkaContent(kafka)).map(({ topic, events: held }) => ({
    topic,
    events: held.filter(({ partitionkey }) => keys.has(partitionkey)),
  }));
  const distinct = (type: string): readonly EngramEvent[] => [
    ...new Map(
      all.flatMap((one) => one.events.filter((event) => event.type === type)).map((event) => [event.id, event]),
    ).values(),
  ];
  await report.check(area, 'every study is done, and its features are read from where it says', async () => {
    for (const { studyId } of scans) {
      const study = await fhir.read('ImagingStudy', studyId);
      const url = study?.extension?.find((one) => one.url === FHIR_URLS.preprocessedFeaturesUrl)?.valueUrl;
      assert.equal((await fetch(url ?? '')).status, 200, studyId);
    }
    assert.equal(await countDone(fhir, scans), scans.length);
    return `${scans.length}`;
  });
  await report.check(area, 'one run, one version of one feature set and one forecast from it a scan', () => {
    const fromScan = distinct(events.forecastMade.type).filter(
      ({ data }) => (data as { feature_sets: readonly unknown[] }).feature_sets.length > 0,
    );
    const counts = {
      requested: distinct(events.runRequested.type).length,
      completed: distinct(events.runCompleted.type).length,
      stored: distinct(events.featuresStored.type).length,
      forecasts: new Set(fromScan.map(({ data }) => (data as { forecast_id: string }).forecast_id)).size,
      failed: distinct(events.runFailed.type).length + distinct(events.runCancelled.type).length,
    };
    const n = scans.length;
    assert.deepEqual(counts, { requested: n, completed: n, stored: n, forecasts: n, failed: 0 });
    return undefined;
  });
  await report.check(area, 'on the FHIR server each effect is there once', () =>
    checkOnce(fhir, scans, distinct(events.forecastMade.type)),
  );
  await report.check(area, "in each topic a subject's versions rise", () =>
    checkOrder(all.filter(({ topic }) => OWN_TOPICS.has(topic)).map((one) => one.events)),
  );
}

async function checkOnce(fhir: FhirClient, scans: readonly Scan[], made: readonly EngramEvent[]): Promise<string> {
  let count = 0;
  for (const scan of scans) {
    const subject = `Patient/${scan.patientId}`;
    const observations = await fhir.search('Observation', { subject });
    const [reports, risks] = [await reportsOf(fhir, scan.patientId), await fhir.search('RiskAssessment', { subject })];
    const own = [...observations, ...reports, ...risks].flatMap(ownIdentifiers);
    assert.equal(new Set(own).size, own.length, 'an identifier is there twice');
    const key = keyOf(fhir, scan);
    const forecasts = new Set(
      made
        .filter(({ partitionkey }) => partitionkey === key)
        .map(({ data }) => (data as { forecast_id: string }).forecast_id),
    ).size;
    assert.equal(reports.length, forecasts, 'a report a forecast');
    assert.equal(risks.length, forecasts, 'a risk assessment a forecast');
    assert.equal(observations.filter(isPredicted).length, PREDICTED * forecasts, 'predicted values');
    count += own.length;
  }
  return `${count} resources`;
}

const isPredicted = ({ code }: Observation): boolean => code.coding?.[0]?.code?.startsWith('predicted-') === true;

const ownIdentifiers = (resource: Resource): string[] =>
  'identifier' in resource && Array.isArray(resource.identifier)
    ? resource.identifier
        .filter(({ system }) => system?.startsWith('https://engram.dev/'))
        .map(({ system, value }) => `${resource.resourceType} ${system}|${value}`)
    : [];

/** Of what was said again only the first saying counts: delivery is at least once. */
function checkOrder(topics: readonly (readonly EngramEvent[])[]): string {
  let count = 0;
  for (const topic of topics) {
    const last = new Map<string, number>();
    const known = new Set<string>();
    for (const { id, type, subject, subjectversion } of topic) {
      if (known.has(id)) continue;
      known.add(id);
      const name = `${type} ${subject}`;
      assert.ok(subjectversion > (last.get(name) ?? 0), `${type}: version ${subjectversion} after ${last.get(name)}`);
      last.set(name, subjectversion);
      count++;
    }
  }
  return `${count} events`;
}
