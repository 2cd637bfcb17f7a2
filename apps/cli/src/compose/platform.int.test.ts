/** One scan all the way through the five services in one process: the trace, the effects, and that nothing tells who it was. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '@engram/config';
import { FHIR_URLS } from '@engram/contracts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { imagingStudy, scoreObservations } from '../demo/resources.ts';
import { untilEnded, untilForecast } from '../demo/watch.ts';
import { daysAgo, testSession, testSettings } from './platform.fixture.ts';
import { type Platform, startPlatform } from './platform.ts';

/** Who the patient is. None of it may be seen outside the FHIR server and the JSON bodies that hold the FHIR id. */
const BIRTH_DATE = '1949-12-24';
const CANARIES = ['Canarywoman', 'MRN-4711-CANARY', BIRTH_DATE, 'Canary-Street', 'canary@example.org'];
const PATIENT = 'test-patient-1';

describe('one scan through the whole platform', () => {
  let folder: string;
  let platform: Platform;
  let trace: string;
  let studyId: string;
  const date = daysAgo(40);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'engram-platform-'));
    const settings = await testSettings(folder);
    const session = await testSession(settings.scans, date);
    platform = await startPlatform(loadConfig({ env: settings.env }), { exporter: 'memory' });
    const { fhir, urls } = platform;
    await fhir.update({
      resourceType: 'Patient',
      id: PATIENT,
      name: [{ family: 'Canarywoman', given: ['Carla'] }],
      identifier: [{ system: 'urn:hospital', value: 'MRN-4711-CANARY' }],
      birthDate: BIRTH_DATE,
      gender: 'female',
      address: [{ text: 'Canary-Street 1' }],
      telecom: [{ system: 'email', value: 'canary@example.org' }],
    });
    if (session.scores)
      for (const observation of scoreObservations(PATIENT, date, session.scores)) await fhir.create(observation);
    studyId = (await fhir.create(imagingStudy(PATIENT, session))).id ?? '';
    const signal = AbortSignal.timeout(570_000);
    const quiet = { update() {}, say() {}, done() {} };
    const runs = await untilEnded({
      results: urls.results,
      studies: () => [{ sessionDate: date, studyId }],
      complete: () => true,
      progress: quiet,
      signal,
    });
    const run = runs.get(studyId);
    expect(run, JSON.stringify(run?.error)).toMatchObject({
      status: 'completed',
      qc_verdict: expect.stringMatching(/pass|review/),
    });
    trace = run?.trace_id ?? '';
    await untilForecast(urls.prediction, PATIENT, 1, signal);
    await platform.untilQuiet(signal);
  }, 600_000);

  afterAll(async () => {
    await platform?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test('one trace runs from the notification through all five services to the write-back', () => {
    const spans = platform.spans().filter((span) => span.spanContext().traceId === trace);
    const groups = new Set(
      spans.map((span) => span.attributes['messaging.consumer.group.name']).filter((name) => name !== undefined),
    );
    expect([...groups].sort()).toEqual([
      'engram.feature-store',
      'engram.prediction',
      'engram.preprocessing',
      'engram.results',
    ]);
    expect(spans.some((span) => span.attributes['http.route'] !== undefined)).toBe(true);
  });

  test('the effects are there once: study extensions, feature set, forecast, risk', async () => {
    const study = await platform.fhir.read('ImagingStudy', studyId);
    expect(study?.extension?.find((extension) => extension.url === FHIR_URLS.preprocessingStatus)?.valueCode).toBe(
      'completed',
    );
    const featuresUrl =
      study?.extension?.find((extension) => extension.url === FHIR_URLS.preprocessedFeaturesUrl)?.valueUrl ?? '';
    const features = await (await fetch(featuresUrl)).json();
    expect(features).toMatchObject({ schema: 'engram/roi-features/1', session_date: date, patient_id: PATIENT });
    const risks = await platform.fhir.search('RiskAssessment', {});
    const reports = await platform.fhir.search('DiagnosticReport', {});
    expect(risks.length).toBe(reports.length);
    expect(risks.length).toBeGreaterThanOrEqual(1);
    const predicted = (await platform.fhir.search('Observation', {})).filter((observation) =>
      observation.code.coding?.[0]?.code?.startsWith('predicted-'),
    );
    expect(predicted.length).toBe(40 * risks.length);
  });

  test('our own write-back starts no second run', async () => {
    const { runs } = (await (await fetch(`${platform.urls.results}/api/v1/runs`)).json()) as { runs: unknown[] };
    expect(runs).toHaveLength(1);
  });

  test('nothing outside the FHIR server tells who the patient is: spans, metrics, events, records, object keys', async () => {
    const metrics = await (await fetch(`${platform.urls.results}/metrics`)).text();
    const spans = JSON.stringify(
      platform.spans().map((span) => [span.name, span.attributes, span.events, span.status]),
    );
    const home = join(folder, 'home');
    const names = (await readdir(join(home, 'objects'), { recursive: true })).join('\n');
    const bytesOf = async (file: string): Promise<string> =>
      (
        await Promise.all([file, `${file}-wal`].map((name) => readFile(join(home, name), 'latin1').catch(() => '')))
      ).join('');
    const [events, records] = await Promise.all([bytesOf('bus.db'), bytesOf('records.db')]);
    expect(events.length * records.length).toBeGreaterThan(0);
    for (const canary of CANARIES)
      for (const [where, text] of Object.entries({ metrics, spans, names, events }))
        expect(text.includes(canary), `${canary} in ${where}`).toBe(false);
    // Prediction owns the demographics, so the birth date is in its records; nothing else of the patient is.
    for (const canary of CANARIES.filter((entry) => entry !== BIRTH_DATE))
      expect(records.includes(canary), `${canary} in records`).toBe(false);
    // The FHIR id stays out of what leaves the process as telemetry, and out of keys.
    for (const text of [metrics, spans, names]) expect(text.includes(PATIENT)).toBe(false);
  });

  test('the five dashboard figures are among the metrics', async () => {
    const metrics = await (await fetch(`${platform.urls.results}/metrics`)).text();
    for (const name of [
      'engram_runs_queued',
      'engram_run_duration',
      'engram_runs_ended',
      'engram_objects_stored',
      'engram_qc',
    ])
      expect(metrics).toContain(name);
  });
});
