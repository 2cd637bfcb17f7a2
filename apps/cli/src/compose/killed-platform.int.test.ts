/** kill -9 of the whole platform in the middle of a run: restarted, it completes without repeating finished tasks or doubling an effect. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type PreprocessingLog, preprocessingLog, type RunView } from '@engram/contracts';
import { type FhirClient, openFhir } from '@engram/fhir';
import { guardedFetch, parseAllowList } from '@engram/http';
import { openObjects } from '@engram/objects';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { imagingStudy, scoreObservations } from '../demo/resources.ts';
import { runsOf, untilEnded, untilForecast } from '../demo/watch.ts';
import { daysAgo, type TestSettings, testSession, testSettings } from './platform.fixture.ts';

const main = join(dirname(fileURLToPath(import.meta.url)), '..', 'main.ts');
const PATIENT = 'test-patient-2';
const LIMIT = 600_000;

/** The count once it has not changed for two seconds. */
async function untilStill(count: () => Promise<number>): Promise<number> {
  for (let last = await count(); ; ) {
    await new Promise((resolve) => setTimeout(resolve, 2000));
    const next = await count();
    if (next === last && next > 0) return next;
    last = next;
  }
}

describe('a platform killed in the middle of a run', () => {
  let folder: string;
  let settings: TestSettings;
  let running: ChildProcess | undefined;
  let fhir: FhirClient;
  let before: RunView | undefined;
  let after: RunView | undefined;
  let log: PreprocessingLog;
  const date = daysAgo(30);

  /** Resolves when the process says its URLs. */
  function start(): Promise<ChildProcess> {
    const child = spawn(process.execPath, [main, 'start', '--json'], {
      env: { ...process.env, ...settings.env },
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
    });
    return new Promise((resolve, reject) => {
      child.once('exit', (code) => reject(new Error(`the platform ended with ${code}`)));
      child.stdout?.once('data', () => resolve(child));
    });
  }

  /** The process group, so that the task process dies with its parent as on a machine that loses power. */
  async function kill(child: ChildProcess): Promise<void> {
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.removeAllListeners('exit');
    const ended = new Promise((resolve) => child.once('exit', resolve));
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    await Promise.race([gone, ended]);
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'engram-killed-'));
    settings = await testSettings(folder);
    const session = await testSession(settings.scans, date);
    const results = settings.url('RESULTS');
    running = await start();
    fhir = openFhir({
      url: `${settings.url('FHIR')}/fhir`,
      fetch: guardedFetch({ allow: parseAllowList([settings.url('FHIR')]) }),
    });
    await fhir.update({ resourceType: 'Patient', id: PATIENT, gender: 'male', birthDate: '1950-01-01' });
    if (session.scores)
      for (const observation of scoreObservations(PATIENT, date, session.scores)) await fhir.create(observation);
    const studyId = (await fhir.create(imagingStudy(PATIENT, session))).id ?? '';
    const studies = [{ sessionDate: date, studyId }];
    const signal = AbortSignal.timeout(LIMIT - 20_000);

    for (;;) {
      signal.throwIfAborted();
      before = (await runsOf(results, studies)).get(studyId);
      if (before?.tasks.some((task) => task.name === 'brain' && task.status === 'completed')) break;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await kill(running);
    running = await start();
    const quiet = { update() {}, say() {}, done() {} };
    after = (await untilEnded({ results, studies: () => studies, complete: () => true, progress: quiet, signal })).get(
      studyId,
    );
    await untilForecast(settings.url('PREDICTION'), PATIENT, 1, signal);
    const objects = await openObjects(`file://${join(folder, 'home', 'objects')}`);
    const kept = (await objects.list(`runs/${after?.id}/`)).objects;
    const key = kept.find((object) => object.key.endsWith('/preprocessing_log.json'))?.key ?? '';
    log = preprocessingLog.parse(JSON.parse(Buffer.from(await objects.get(key)).toString()));
    await objects.close();
  }, LIMIT);

  afterAll(async () => {
    if (running) await kill(running);
    await rm(folder, { recursive: true, force: true });
  });

  test('the same run completes under the same trace', () => {
    expect(before?.status).toBe('executing');
    expect(after).toMatchObject({ id: before?.id, status: 'completed', trace_id: before?.trace_id });
  });

  test('what had finished before the kill was not done again', () => {
    const finished = before?.tasks.filter((task) => task.status === 'completed').map((task) => task.name) ?? [];
    expect(finished).toEqual(expect.arrayContaining(['import-t1', 'n4', 'brain']));
    for (const name of finished) expect(log.tasks.find((task) => task.name === name)?.reused, name).toBe(true);
    expect(log.tasks.some((task) => !task.reused)).toBe(true);
  });

  test('one run, one feature set in one version, and each forecast written once', async () => {
    const { runs } = (await (await fetch(`${settings.url('RESULTS')}/api/v1/runs`)).json()) as { runs: unknown[] };
    expect(runs).toHaveLength(1);
    interface History {
      readonly feature_sets: readonly { readonly version: number }[];
      readonly forecasts: readonly { readonly forecast_id: string | null }[];
    }
    const readHistory = async (): Promise<History> =>
      (await (await fetch(`${settings.url('RESULTS')}/api/v1/patients/${PATIENT}/history`)).json()) as History;
    // The record is kept after the write, so the last forecast may be on the FHIR server a moment before it.
    await expect
      .poll(async () => (await readHistory()).forecasts.filter((entry) => entry.forecast_id !== null).length, {
        timeout: 60_000,
        interval: 200,
      })
      .toBe(await untilStill(async () => (await fhir.search('DiagnosticReport', {})).length));
    expect((await readHistory()).feature_sets.map((set) => set.version)).toEqual([1]);
    const identifiers = (await fhir.search('Observation', {})).flatMap(
      (observation) => observation.identifier?.map((identifier) => identifier.value) ?? [],
    );
    expect(new Set(identifiers).size).toBe(identifiers.length);
  });
});
