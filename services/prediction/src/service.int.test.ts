import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Bus, openBus } from '@engram/bus';
import { type EngramEvent, events, type FeatureSetView, type Forecast, forecast, makeEvent } from '@engram/contracts';
import { EngramError } from '@engram/errors';
import { DEFAULT_MODEL, loadModel, type ProgressionModel } from '@engram/models';
import { type Objects, openObjects } from '@engram/objects';
import { openRecords, type Records } from '@engram/records';
import type { Resource } from '@medplum/fhirtypes';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { consume } from './consume.ts';
import { featureDocument } from './feature-document.fixture.ts';
import type { ForecastingDeps } from './forecasting.ts';
import { fhirOf, mmse, NOW, PATIENT_KEY, patient, study } from './patient.fixture.ts';
import { createPrediction, type Service } from './service.ts';
import { openPredictionStore } from './store.ts';

let model: ProgressionModel;
let folder: string;
let objects: Objects;
let records: Records;
let bus: Bus;
let service: Service;
let resources: Resource[];
let sets: FeatureSetView[];
let fhir: ReturnType<typeof fhirOf>;
let now: Date;

beforeAll(async () => {
  model = await loadModel(fileURLToPath(DEFAULT_MODEL));
});
afterAll(() => model.close());

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'prediction-'));
  objects = await openObjects(`file://${folder}`);
  records = await openRecords('sqlite::memory:');
  bus = await openBus('sqlite::memory:');
  resources = [patient, mmse('a', 26, '2023-04-01'), mmse('b', 24, '2024-04-01')];
  sets = [];
  fhir = fhirOf(resources);
  now = NOW;
  service = await createPrediction({ ...ports(), records, bus });
});
afterEach(async () => {
  await service.stop();
  await service.app.close();
  await bus.close();
  await records.close();
  await objects.close();
  await rm(folder, { recursive: true });
});

const ports = () => ({
  objects,
  fhir: fhir.client,
  model,
  patientKeyOf: () => PATIENT_KEY,
  readFeatureSets: async () => sets,
  now: () => now,
});
const deps = (): ForecastingDeps => ({
  ...ports(),
  store: openPredictionStore(records),
  acceptMisusedCodes: false,
  maxAgeMs: 900_000,
});

const KEY = `preprocessed/${PATIENT_KEY}/2024-05-01/versions/1/roi_features.json`;

/** Features that the feature store has stored, and the event that says so. */
async function storeFeatures(over: Partial<typeof events.featuresStored.example> = {}): Promise<EngramEvent> {
  const document = featureDocument();
  if (!(await objects.head(KEY))) await objects.put(KEY, new TextEncoder().encode(JSON.stringify(document)));
  const data = {
    ...events.featuresStored.example,
    digest: document.digest,
    patient_key: PATIENT_KEY,
    session_date: '2024-05-01',
    features_key: KEY,
    ...over,
  };
  return makeEvent(events.featuresStored, {
    source: '/engram/feature-store',
    subject: data.feature_set_id,
    subjectVersion: data.withdrawn ? 2 : 1,
    patientKey: PATIENT_KEY,
    time: NOW,
    data,
  });
}

const ask = (payload: object | undefined = { patient_id: '1' }, url = '/api/v1/adni/predict-progression') =>
  service.app.inject({ method: 'POST', url, ...(payload ? { payload } : {}) });

async function said(type: string): Promise<readonly EngramEvent[]> {
  const pending = await Promise.all(records.collections.map((each) => each.pendingEvents(100)));
  return pending.flatMap((each) => each.map(({ event }) => event)).filter((event) => event.type === type);
}

describe('the button', () => {
  test('answers from cold in the contract’s form, and again from what is stored', async () => {
    const first = await ask();
    expect(first.statusCode).toBe(200);
    const made: Forecast = forecast.parse(first.json());
    expect(made).toMatchObject({ patient_id: '1', index_date: '2024-04-01', cached: false, historical_visits: 0 });
    expect(Object.keys(made.predictions)).toHaveLength(10);
    expect(made.trajectory.measured.mmse.map(({ value }) => value)).toEqual([26, 24]);
    expect(made.trajectory.predicted.mmse.at(-1)).toMatchObject({ months: 60, date: '2029-04-01' });
    expect(made.disclaimer).toContain('SIMULATED cohort');
    expect(made.warnings.map(({ code }) => code)).toEqual(['NO_IMAGING', 'SIMULATED_WEIGHTS']);
    const reads = fhir.reads;
    const second = (await ask()).json();
    expect(second).toMatchObject({ forecast_id: made.forecast_id, cached: true, predictions: made.predictions });
    expect(fhir.reads).toBe(reads);
    expect(await said(events.forecastMade.type)).toHaveLength(1);
  });

  test('takes the patient from the query too', async () => {
    expect((await ask(undefined, '/api/v1/adni/predict-progression?patient_id=1')).statusCode).toBe(200);
    const none = await ask({});
    expect([none.statusCode, none.json().field]).toEqual([400, 'patient_id']);
  });

  test('reads anew what is older than a quarter of an hour, and says so when it cannot', async () => {
    await ask();
    now = new Date(NOW.getTime() + 3_600_000);
    resources.push(mmse('c', 20, '2024-05-20'));
    expect((await ask()).json()).toMatchObject({ index_date: '2024-05-20', cached: false });
    now = new Date(now.getTime() + 3_600_000);
    fhir.fail = new EngramError('UPSTREAM_FAILED', 'the server is down');
    const stale = await ask();
    expect(stale.statusCode).toBe(200);
    expect(stale.json().warnings.map(({ code }: { code: string }) => code)).toContain('INPUTS_NOT_REFRESHED');
  });

  test.each([
    [404, 'PATIENT_NOT_FOUND', () => resources.splice(0)],
    [422, 'FORECAST_NO_SCORES', () => resources.splice(1)],
    [422, 'FORECAST_STALE', () => resources.splice(1, 2, mmse('a', 26, '2021-01-01'))],
    [409, 'FORECAST_PENDING', () => resources.push(study('17', 'in-progress', NOW.toISOString()))],
  ])('answers %d %s as a problem', async (status, code, arrange) => {
    arrange();
    const answer = await ask();
    expect([answer.statusCode, answer.json().code]).toEqual([status, code]);
    expect(answer.headers['content-type']).toContain('application/problem+json');
  });

  test('says a refusal once, and stops refusing when a score comes', async () => {
    resources.splice(1);
    await ask();
    await ask();
    expect(await said(events.forecastRefused.type)).toHaveLength(1);
    resources.push(mmse('z', 25, '2024-05-01'));
    await consume(deps(), scoreEvent('Observation/z'));
    expect((await ask()).json()).toMatchObject({ cached: true, index_date: '2024-05-01' });
  });
});

const scoreEvent = (reference: string): EngramEvent =>
  makeEvent(events.scoreReceived, {
    source: '/engram/ingestion',
    subject: reference,
    subjectVersion: 1,
    patientKey: PATIENT_KEY,
    time: NOW,
    data: { ...events.scoreReceived.example, patient_key: PATIENT_KEY, reference },
  });

const retraction = (over: Partial<typeof events.studyRetracted.example> = {}): EngramEvent =>
  makeEvent(events.studyRetracted, {
    source: '/engram/ingestion',
    subject: '17',
    subjectVersion: 2,
    patientKey: PATIENT_KEY,
    time: NOW,
    data: { ...events.studyRetracted.example, patient_key: PATIENT_KEY, ...over },
  });

describe('events', () => {
  test('features on the bus make one forecast that the button then reads', async () => {
    await service.start();
    const event = await storeFeatures();
    await bus.publish([event, event]);
    await expect.poll(async () => (await said(events.forecastMade.type)).length, { timeout: 20_000 }).toBe(1);
    const answer = (await ask()).json();
    expect(answer).toMatchObject({
      cached: true,
      index_date: '2024-05-01',
      historical_visits: 1,
      inputs: { feature_sets: [{ feature_set_id: 'fs-1', used: true, study_ids: ['17'] }] },
    });
  });

  test('imaging changes the forecast', async () => {
    const without = (await ask()).json();
    await consume(deps(), await storeFeatures({ session_date: '2024-04-01' }));
    const with_ = (await ask()).json();
    expect(with_.forecast_id).not.toBe(without.forecast_id);
    expect(with_.predictions).not.toEqual(without.predictions);
  });

  test('a retracted study withdraws the forecasts that rest on it, and the next one goes without', async () => {
    await consume(deps(), await storeFeatures());
    await consume(deps(), retraction());
    await consume(deps(), retraction());
    expect((await ask()).json()).toMatchObject({ historical_visits: 0, index_date: '2024-04-01' });
    const history = (await service.app.inject('/api/v1/forecasts?patient_id=1')).json();
    expect(history.forecasts.map(({ withdrawn }: { withdrawn: string | null }) => withdrawn).toSorted()).toEqual([
      'entered-in-error',
      null,
    ]);
    const told = (await said(events.forecastMade.type)).map(({ subject, subjectversion, data }) => [
      subject,
      subjectversion,
      (data as { withdrawn: boolean }).withdrawn,
    ]);
    expect(told.filter(([subject]) => subject === told[0]?.[0])).toEqual([
      [told[0]?.[0], 1, false],
      [told[0]?.[0], 2, true],
    ]);
  });

  test('while the features are being made anew, a withdrawn forecast is not the current one', async () => {
    await consume(deps(), await storeFeatures());
    resources.push(study('99', 'in-progress', NOW.toISOString()));
    await consume(deps(), retraction());
    expect((await deps().store.patient(PATIENT_KEY))?.forecast_id).toBeNull();
  });

  test('what is concluded from an earlier reading replaces nothing, whatever the clocks say', async () => {
    const { store } = deps();
    const lateNow = (): Date => new Date(NOW.getTime() + 240_000);
    let isOvertaken = false;
    // Another process reads the patient between our reading and our conclusion, every time but the last.
    const changePatient: typeof store.changePatient = async (key, decide) => {
      const done = await store.changePatient(key, decide);
      if (!isOvertaken) {
        isOvertaken = true;
        resources.splice(1);
        await consume(deps(), scoreEvent('Observation/a'));
      }
      return done;
    };
    await consume({ ...deps(), now: lateNow, store: { ...store, changePatient } }, scoreEvent('Observation/b'));
    expect((await store.patient(PATIENT_KEY))?.refusal?.code).toBe('FORECAST_NO_SCORES');
  });

  test('a withdrawal that crosses with what is left of the session leaves that in use', async () => {
    const studies = [
      ...events.featuresStored.example.studies,
      { role: 'pet' as const, study_id: '18', study_uid: '1.3', study_version: 'b' },
    ];
    await consume(deps(), await storeFeatures({ studies }));
    const { store } = deps();
    const left = { ...(await storeFeatures()), subjectversion: 2 };
    const sessionsOf: typeof store.sessionsOf = async (key) => {
      const sessions = await store.sessionsOf(key);
      // The feature store says so between our look and our write.
      if (sessions[0]?.study_ids.includes('18')) await consume(deps(), left);
      return sessions;
    };
    await consume({ ...deps(), store: { ...store, sessionsOf } }, retraction({ study_id: '18' }));
    expect((await store.sessionsOf(PATIENT_KEY))[0]).toMatchObject({ withdrawn: false, study_ids: ['17'] });
  });

  test('an older fact about a feature set does not undo its withdrawal', async () => {
    const stored = await storeFeatures();
    await consume(deps(), stored);
    await consume(deps(), await storeFeatures({ withdrawn: true }));
    await consume(deps(), stored);
    expect((await ask()).json()).toMatchObject({ historical_visits: 0 });
  });

  test('a deleted patient leaves no projection and no standing forecast', async () => {
    await ask();
    await consume(deps(), retraction({ why: 'patient-deleted' }));
    expect(await deps().store.patient(PATIENT_KEY)).toBeUndefined();
    const history = (await service.app.inject('/api/v1/forecasts?patient_id=1')).json();
    expect(history.forecasts[0].withdrawn).toBe('patient-deleted');
  });

  test('a document that is not the one that was said is refused', async () => {
    const event = await storeFeatures({ digest: 'f'.repeat(64) });
    await expect(consume(deps(), event)).rejects.toMatchObject({ code: 'OBJECT_CORRUPT' });
  });

  test('cold, the features are read from the feature store by contract', async () => {
    await storeFeatures();
    const digest = featureDocument().digest;
    sets = [
      {
        feature_set_id: 'fs-1',
        patient_key: PATIENT_KEY,
        patient_id: '1',
        session_id: 's-1',
        session_date: '2024-05-01',
        sequence: 1,
        current: 1,
        versions: [
          {
            version: 1,
            digest,
            run_id: 'r-1',
            stored_at: NOW.toISOString(),
            qc_verdict: 'pass',
            qc_reasons: [],
            usable: true,
            mri: true,
            pet: false,
            tracer: null,
            awaiting_pet: true,
            studies: [{ role: 't1', study_id: '17', study_uid: '1.2', study_version: 'a' }],
            artifacts: [],
            features_key: KEY,
          },
        ],
      },
    ];
    expect((await ask()).json()).toMatchObject({ historical_visits: 1, cached: false });
  });

  test('a forecast is read by its id, and an unknown id is refused', async () => {
    const made = (await ask()).json();
    expect((await service.app.inject(`/api/v1/forecasts/${made.forecast_id}`)).json()).toMatchObject({
      forecast_id: made.forecast_id,
    });
    const unknown = await service.app.inject('/api/v1/forecasts/f-none');
    expect([unknown.statusCode, unknown.json().code]).toEqual([404, 'FORECAST_NOT_FOUND']);
  });
});

test('the forecast of a known patient is the golden one', async () => {
  await consume(deps(), await storeFeatures());
  const { predictions, probabilities, index_date } = (await ask()).json();
  expect({
    index_date,
    at_12: predictions['12_months'],
    at_60: predictions['60_months'],
    probabilities,
  }).toMatchSnapshot();
});
