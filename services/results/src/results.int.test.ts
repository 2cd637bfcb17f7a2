/** Results over the embedded adapters and the embedded FHIR server: a repeat of any event makes no second resource. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openBus } from '@engram/bus';
import {
  AAL_93,
  CONSTANT_PET_REGIONS,
  type EngramEvent,
  events,
  FHIR_URLS,
  type Forecast,
  HORIZONS_MONTHS,
  horizonKey,
  makeEvent,
  type RoiFeatures,
  SCORES,
  type SessionView,
} from '@engram/contracts';
import { openFhir } from '@engram/fhir';
import { buildFhirServer } from '@engram/fhir/server';
import { guardedFetch, listen, parseAllowList } from '@engram/http';
import { openObjects } from '@engram/objects';
import { openRecords } from '@engram/records';
import { silentLogger } from '@engram/telemetry';
import type { ImagingStudy } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { consume } from './consume.ts';
import { createResults, type Results } from './index.ts';
import { openStore } from './store.ts';

const KEY = 'abcdefghijklmnopqrstuvwxyz';
const NOW = new Date('2024-06-01T08:00:00.000Z');

const features: RoiFeatures = {
  schema: 'engram/roi-features/1',
  patient_id: '1',
  session_date: '2024-01-15',
  preprocessing_version: '1.0.0',
  preprocessing_timestamp: NOW.toISOString(),
  mri_roi_features: AAL_93.regions.map((_, at) => 1000 + at),
  pet_roi_features: AAL_93.regions.map(() => 1.1),
  quality_metrics: {
    verdict: 'pass',
    mri_snr: 20,
    pet_mean_suvr: 1.21,
    registration_quality: 'good',
    motion_artifacts: 'none',
  },
  atlas_registration: { method: 'deformable', metric: 'LNCC', iterations: 90, convergence: 1e-4 },
  region_list: {
    id: AAL_93.id,
    sha256: AAL_93.sha256,
    regions: AAL_93.regions.map(({ index, name, labels }) => ({ index, name, labels: [...labels] })),
  },
  units: { mri: 'mm3', pet: 'SUVR' },
  head_size_ml: 1500,
  tissue_ml: { gm: 620, wm: 510, csf: 300, ventricles: 35 },
  pet: {
    tracer: 'FDG',
    reference_region: 'whole cerebellum',
    constant_regions: [...CONSTANT_PET_REGIONS],
    frames: 4,
    window_s: null,
  },
  waiting: [],
  artifacts: [],
  lineage: {
    pipeline: 'adni',
    pipeline_version: '1.0.0',
    engine_version: '0.1.0',
    device: 'scalar',
    atlas: { name: 'aal', version: '1', sha256: '0'.repeat(64) },
    inputs: [],
    tasks: [],
  },
  digest: 'a'.repeat(64),
};

const perScore = <T>(value: T) => ({ mmse: value, cdr_global: value, cdr_sob: value, adas_cog: value });
const perHorizon = <T>(value: T) =>
  Object.fromEntries(HORIZONS_MONTHS.map((months) => [horizonKey(months), value])) as Record<
    ReturnType<typeof horizonKey>,
    T
  >;
const forecastOf = (studyId: string): Forecast => ({
  forecast_id: 'f-1',
  patient_id: '1',
  prediction_timestamp: NOW.toISOString(),
  index_date: '2024-01-15',
  historical_visits: 1,
  predictions: perHorizon(perScore(2)),
  intervals: perHorizon(perScore([{ lower: 1, upper: 3, level: 0.8 }])),
  probabilities: perHorizon({ cdr_global_ge_1: 0.25 }),
  confidence_scores: perHorizon(perScore(0.5)),
  trajectory: { measured: perScore([]), predicted: perScore([]) },
  inputs: {
    feature_sets: [
      {
        feature_set_id: 'fs-1',
        version: 1,
        session_id: 's-1',
        session_date: '2024-01-15',
        qc_verdict: 'pass',
        used: true,
        study_ids: [studyId],
      },
    ],
    scores: [],
    demographics: { age_years: true, sex: true, education_years: false, apoe4: false },
    missing: [],
  },
  adas_cog_version: 'ADAS-Cog 13',
  model_version: 'm-1',
  calibration_source: 'simulated',
  processing_time_seconds: 0.01,
  cached: false,
  warnings: [],
  disclaimer: 'Simulated.',
});

describe('results over embedded adapters', () => {
  let folder: string;
  let stops: (() => Promise<unknown>)[];
  let results: Results;
  let fhir: ReturnType<typeof openFhir>;
  let handle: (event: EngramEvent) => Promise<void>;
  let studyId: string;
  let store: ReturnType<typeof openStore>;
  let session: SessionView | undefined;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'engram-results-'));
    const fetch = guardedFetch({ allow: parseAllowList(['http://127.0.0.1']) });
    const server = await buildFhirServer({ database: 'sqlite::memory:', fetch });
    const base = `${await listen(server, { port: 0 })}/fhir`;
    fhir = openFhir({ url: base, fetch: guardedFetch({ allow: parseAllowList([new URL(base).origin]) }) });
    await fhir.update({ resourceType: 'Patient', id: '1' });
    const study: ImagingStudy = await fhir.create<ImagingStudy>({
      resourceType: 'ImagingStudy',
      status: 'available',
      subject: { reference: 'Patient/1' },
      extension: [{ url: 'https://example.org/theirs', valueString: 'kept' }],
    });
    studyId = study.id ?? '';
    const records = await openRecords('sqlite::memory:');
    const objects = await openObjects(`file://${folder}/objects`);
    const bus = await openBus('sqlite::memory:');
    await objects.put('features.json', Buffer.from(JSON.stringify(features)));
    const mri = { ...features, pet_roi_features: null, pet: null };
    const quality_metrics = { ...features.quality_metrics, pet_mean_suvr: null };
    await objects.put('features-mri.json', Buffer.from(JSON.stringify({ ...mri, quality_metrics })));
    store = openStore(records);
    const deps = {
      objects,
      fhir,
      readForecast: async (id: string) => (id === 'f-1' ? forecastOf(studyId) : undefined),
      readSession: async (id: string) => (session?.session_id === id ? session : undefined),
      featuresUrl: (id: string, version: number) => `http://127.0.0.1:7013/${id}/${version}`,
      modelCardText: '# Model card',
      patientKeyOf: () => KEY,
      version: '0.1.0',
      logger: silentLogger,
    };
    results = await createResults({ ...deps, bus, records, now: () => NOW });
    await results.app.ready();
    handle = (event) => consume({ ...deps, store, now: () => NOW }, event);
    stops = [
      () => results.stop(),
      () => results.app.close(),
      () => server.close(),
      () => bus.close(),
      () => objects.close(),
      () => records.close(),
    ];
  });

  afterAll(async () => {
    for (const stop of stops) await stop();
    await rm(folder, { recursive: true, force: true });
  });

  const facts = (subject: string, version: number) => ({
    source: '/engram/test',
    subject,
    subjectVersion: version,
    patientKey: KEY,
    time: new Date(NOW.getTime() + version * 1000),
  });
  const count = async (
    type: 'Observation' | 'RiskAssessment' | 'DiagnosticReport' | 'Device' | 'Provenance' | 'DocumentReference',
  ): Promise<number> => (await fhir.search(type, {})).length;
  const statusOf = async (): Promise<string | undefined> =>
    (await fhir.read('ImagingStudy', studyId))?.extension?.find(
      (extension) => extension.url === FHIR_URLS.preprocessingStatus,
    )?.valueCode;

  const received = () =>
    makeEvent(events.studyReceived, {
      ...facts(studyId, 1),
      data: { ...events.studyReceived.example, study_id: studyId, session_id: 's-1' },
    });
  const stored = (version: number, withdrawn = false, pet = true) =>
    makeEvent(events.featuresStored, {
      ...facts('fs-1', version),
      data: {
        ...events.featuresStored.example,
        features_key: pet ? 'features.json' : 'features-mri.json',
        version,
        withdrawn,
        pet,
        studies: [{ role: 't1' as const, study_id: studyId, study_uid: '1.2', study_version: 'v' }],
      },
    });
  const made = (version = 1, withdrawn = false) =>
    makeEvent(events.forecastMade, { ...facts('f-1', version), data: { ...events.forecastMade.example, withdrawn } });
  const riskStatuses = async () => (await fhir.search('RiskAssessment', {})).map(({ status }) => status);

  test('stored features become Observations and the study’s two extensions, and a repeat changes nothing', async () => {
    await handle(received());
    await handle(stored(2));
    const [observations, devices] = [await count('Observation'), await count('Device')];
    expect(observations).toBe(8);
    expect(await statusOf()).toBe('completed');
    const study = await fhir.read('ImagingStudy', studyId);
    expect(study?.extension).toContainEqual({ url: 'https://example.org/theirs', valueString: 'kept' });
    expect(study?.extension).toContainEqual({
      url: FHIR_URLS.preprocessedFeaturesUrl,
      valueUrl: 'http://127.0.0.1:7013/fs-1/2',
    });
    const version = study?.meta?.versionId;

    for (let repeat = 0; repeat < 5; repeat++) await handle(stored(2));
    await handle(stored(1));
    expect([await count('Observation'), await count('Device')]).toEqual([observations, devices]);
    expect((await fhir.read('ImagingStudy', studyId))?.meta?.versionId).toBe(version);
  });

  test('a forecast is written once however often it is told: 40 numbers, risk, report, device, card, provenance', async () => {
    const before = await count('Observation');
    for (let repeat = 0; repeat < 3; repeat++) await handle(made());
    expect((await count('Observation')) - before).toBe(SCORES.length * HORIZONS_MONTHS.length);
    expect([
      await count('RiskAssessment'),
      await count('DiagnosticReport'),
      await count('DocumentReference'),
      await count('Provenance'),
    ]).toEqual([1, 1, 1, 1]);
    const [report] = await fhir.search('DiagnosticReport', {});
    expect(report?.result).toHaveLength(40);
    expect(report?.conclusion).toContain('Research use only');
  });

  test('a crash between the write and the record repeats the write, and still nothing doubles', async () => {
    const before = [await count('Observation'), await count('RiskAssessment'), await count('Provenance')];
    await store.forecasts.remove('f-1');
    await handle(made());
    expect([await count('Observation'), await count('RiskAssessment'), await count('Provenance')]).toEqual(before);
  });

  test('a PET taken back leaves no mean SUVR standing, and the rest of the session stands', async () => {
    await handle(stored(3, false, false));
    const measured = (await fhir.search('Observation', {})).filter((each) => each.meta?.security === undefined);
    const errors = measured.filter((each) => each.status === 'entered-in-error');
    expect(errors.map((each) => [each.code.coding?.[0]?.code, each.valueQuantity])).toEqual([['mean-suvr', undefined]]);
    expect(measured).toHaveLength(8);
  });

  test('a retraction marks the forecast and the study as withdrawn', async () => {
    await handle(
      makeEvent(events.studyRetracted, {
        ...facts(studyId, 3),
        data: { ...events.studyRetracted.example, study_id: studyId },
      }),
    );
    expect(await statusOf()).toBe('withdrawn');
    await handle(made(2, true));
    expect(await riskStatuses()).toEqual(['entered-in-error']);
    await handle(stored(4, true));
    const statuses = new Set((await fhir.search('Observation', {})).map((observation) => observation.status));
    expect(statuses).toEqual(new Set(['entered-in-error']));
  });

  test('a writer that comes late puts no older version over a newer one, whatever its own record says', async () => {
    await store.forecasts.remove('f-1');
    await store.featureSets.remove('fs-1');
    await handle(made(1));
    await handle(stored(3));
    expect(await riskStatuses()).toEqual(['entered-in-error']);
    const statuses = new Set((await fhir.search('Observation', {})).map(({ status }) => status));
    expect(statuses).toEqual(new Set(['entered-in-error']));
  });

  test('a forecast made anew after it was withdrawn stands, in whatever order it is told', async () => {
    await handle(made(3));
    await handle(made(2, true));
    expect(await riskStatuses()).toEqual(['preliminary']);
    await handle(made(4, true));
    await handle(stored(4, true));
    expect(await riskStatuses()).toEqual(['entered-in-error']);
    expect((await store.forecasts.get('f-1'))?.value.withdrawn).toBe(true);
  });

  test('the history of a patient shows studies, feature sets and forecasts with the notice', async () => {
    const answer = await results.app.inject({ url: '/api/v1/patients/1/history' });
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toMatchObject({
      patient_id: '1',
      feature_sets: [{ withdrawn: true }],
      forecasts: [{ forecast_id: 'f-1', withdrawn: true }],
    });
    expect(answer.json().disclaimer).toContain('Research use only');
  });

  describe('the runs API', () => {
    const post = (url: string, payload: object = {}) => results.app.inject({ method: 'POST', url, payload });

    test('a study that is not known, and one without a session, are refused by code', async () => {
      expect((await post('/api/v1/runs', { study_id: 'nobody' })).json()).toMatchObject({
        status: 404,
        code: 'STUDY_NOT_FOUND',
        field: 'study_id',
      });
      await handle(
        makeEvent(events.studyReceived, {
          ...facts('77', 1),
          data: {
            ...events.studyReceived.example,
            study_id: '77',
            session_id: null,
            state: 'unusable',
            awaiting: [{ what: 't1', why: 'no T1 among its series' }],
          },
        }),
      );
      const refused = await post('/api/v1/runs', { study_id: '77' });
      expect(refused.statusCode).toBe(422);
      expect(refused.json().detail).toContain('no T1 among its series');
    });

    test('the same request twice is one run, which can be prioritised, cancelled and retried', async () => {
      const [input] = events.runRequested.example.inputs;
      session = {
        session_id: 's-2',
        version: 1,
        patient_key: KEY,
        patient_id: '1',
        patient_reference: 'Patient/1',
        session_date: '2024-01-15',
        state: 'ready',
        inputs: input ? [{ ...input, study_id: '78' }] : [],
        awaiting: [],
      };
      await handle(
        makeEvent(events.studyReceived, {
          ...facts('78', 1),
          data: { ...events.studyReceived.example, study_id: '78', session_id: 's-2' },
        }),
      );
      const first = await post('/api/v1/runs', { study_id: '78', request_id: 'again', priority: 'high' });
      const second = await post('/api/v1/runs', { study_id: '78', request_id: 'again', priority: 'high' });
      expect(first.statusCode).toBe(202);
      expect(second.json().id).toBe(first.json().id);
      expect(first.json()).toMatchObject({
        study_id: '78',
        study_uid: '1.2.840.1',
        pipeline: 'adni',
        status: 'created',
      });
      const { id } = first.json();
      expect((await store.runs.pendingEvents(10)).filter((pending) => pending.event.subject === id)).toHaveLength(1);

      expect(
        (
          await results.app.inject({
            method: 'PUT',
            url: `/api/v1/runs/${id}/priority`,
            payload: { priority: 'urgent' },
          })
        ).statusCode,
      ).toBe(202);
      expect((await post(`/api/v1/runs/${id}/retry`)).json()).toMatchObject({ status: 409, code: 'RUN_NOT_RETRYABLE' });
      expect((await post(`/api/v1/runs/${id}/cancel`, { reason: 'wrong patient' })).statusCode).toBe(202);
      const commands = (await store.runs.pendingEvents(10))
        .map((pending) => pending.event)
        .filter((event) => event.type === events.runCommanded.type);
      expect(commands.map((event) => (event.data as { command: { name: string } }).command.name)).toEqual([
        'prioritise',
        'cancel',
      ]);

      await handle(
        makeEvent(events.runCancelled, { ...facts(id, 5), data: { ...events.runCancelled.example, run_id: id } }),
      );
      expect((await post(`/api/v1/runs/${id}/cancel`)).json()).toMatchObject({ code: 'RUN_ENDED' });
      expect((await post(`/api/v1/runs/${id}/retry`)).statusCode).toBe(202);
    });

    test('a pipeline that is not there yet is refused by name', async () => {
      const refused = await post('/api/v1/runs', { study_id: '78', pipeline: 'wmh' });
      expect(refused.json()).toMatchObject({ status: 400, code: 'REQUEST_INVALID', field: 'pipeline' });
    });
  });

  test('the five dashboard figures are counted from what happened', async () => {
    const figures = (await results.app.inject({ url: '/api/v1/figures' })).json();
    expect(figures).toMatchObject({ success_rate: null, storage: { objects: 2 } });
    const there = await Promise.all(
      (['Observation', 'RiskAssessment', 'DiagnosticReport', 'Provenance', 'Device', 'DocumentReference'] as const).map(
        async (type) => (await fhir.search(type, {}, 1000)).length,
      ),
    );
    const studies = (await fhir.search('ImagingStudy', {})).filter(({ extension }) => extension !== undefined).length;
    expect(figures.written_resources).toBe(there.reduce((sum, one) => sum + one, studies));
  });

  test('what all forecasts share is written once, not with each of them', async () => {
    const versions = async () =>
      [await fhir.search('Device', {}), await fhir.search('DocumentReference', {})]
        .flat()
        .map(({ meta }) => meta?.versionId);
    await handle(received());
    await handle(made(10));
    const before = await versions();
    for (const version of [11, 12]) await handle(made(version));
    expect(before.length).toBeGreaterThan(0);
    expect(await versions()).toEqual(before);
  });
});
