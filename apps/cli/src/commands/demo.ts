/** `npm run demo`: the main job, embedded: from notifications of scans to a forecast that is written back. */
import { mkdir, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { loadConfig } from '@engram/config';
import {
  ARTIFACTS,
  type ArtifactReference,
  type DemoReport,
  type Forecast,
  RESEARCH_USE_ONLY,
  type RoiFeatures,
  roiFeatures,
  SIMULATED_WEIGHTS,
} from '@engram/contracts';
import { EngramError } from '@engram/errors';
import type { FhirClient } from '@engram/fhir';
import { ensureAtlas } from '@engram/pipelines';
import type { Command } from 'commander';
import { type Platform, startPlatform } from '../compose/platform.ts';
import { phantomSessions } from '../demo/phantom.request.ts';
import { durationsLine, forecastTable, regionsTable, type ShownSession, sessionsTable } from '../demo/report.ts';
import { DEMO_PATIENT, demoPatient, imagingStudy, scoreObservations } from '../demo/resources.ts';
import { type DemoSession, demoPlans } from '../demo/scans.ts';
import { untilEnded, untilForecast, type Watched } from '../demo/watch.ts';
import { type Progress, progressOn, speak } from '../output.ts';

interface Options {
  readonly once?: boolean;
  readonly json?: boolean;
  readonly t1?: string;
  readonly pet?: string;
  readonly atlas?: string;
  readonly sessionDate?: string;
}

const LIMIT_MS = 45 * 60_000;

export function demoCommand(program: Command): void {
  program
    .command('demo')
    .description('five services in one process, a synthetic patient’s three sessions (or your scan), and the forecast')
    .option('--once', 'exit when done instead of serving on')
    .option('--json', 'print one JSON object and nothing else on standard output')
    .option('--t1 <path>', 'your own T1: a NIfTI file or a DICOM folder')
    .option('--pet <path>', 'your own PET beside it')
    .option('--session-date <date>', 'the date of your own scan, YYYY-MM-DD (default: today)')
    .option('--atlas <dir>', 'atlas folder with a manifest, instead of the fetched one')
    .action((options: Options) => speak(options, () => demo(options)));
}

const seconds = (from: number): number => Math.round((performance.now() - from) / 100) / 10;

async function demo(options: Options): Promise<DemoReport> {
  const started = performance.now();
  const progress = progressOn();
  if (options.pet !== undefined && options.t1 === undefined)
    throw new EngramError('REQUEST_INVALID', '--pet needs --t1', { field: '--pet' });
  for (const path of [options.t1, options.pet]) if (path !== undefined) await mustExist(path);
  const home = resolve('.engram', 'demo');
  // A demo starts from nothing each time; what it made stays until the next one.
  await rm(home, { recursive: true, force: true });
  const scans = join(home, 'scans');
  await mkdir(scans, { recursive: true });
  const atlasFolder = await ensureAtlas({
    ...(options.atlas === undefined ? {} : { dir: options.atlas }),
    onProgress: (text) => progress.say(text),
  });
  const allow = [
    scans,
    ...[options.t1, options.pet].filter((path) => path !== undefined).map((path) => resolve(path)),
  ].map((path) => pathToFileURL(path).href);
  const config = loadConfig({
    env: {
      ...process.env,
      ENGRAM_HOME: home,
      ENGRAM_QUIET_S: '0',
      ENGRAM_LOG_LEVEL: process.env['ENGRAM_LOG_LEVEL'] ?? 'silent',
      ENGRAM_ALLOW: [process.env['ENGRAM_ALLOW'] ?? '', ...allow].join(' '),
    },
  });
  progress.say(RESEARCH_USE_ONLY);
  const platform = await startPlatform(config);
  const setup = seconds(started);
  try {
    progress.say(`five services and a FHIR server are up after ${setup} s`);
    const report = await run(options, {
      platform,
      progress,
      started,
      setup,
      scans,
      sessions: sessionsOf(options, atlasFolder, scans),
    });
    if (!options.once) await untilInterrupted(platform, progress, options);
    return report;
  } finally {
    progress.done();
    await platform.stop();
  }
}

/** Seconds until the first session's forecast stood; null when none ever did. */
async function firstForecastAfter(
  prediction: string,
  patient: string,
  started: number,
  signal: AbortSignal,
): Promise<number | null> {
  try {
    await untilForecast(prediction, patient, 1, signal);
    return seconds(started);
  } catch (error) {
    if (signal.aborted) return null;
    throw error;
  }
}

async function readJson<T>(url: string): Promise<T> {
  const response = await fetch(url);
  if (!response.ok) throw new EngramError('UPSTREAM_FAILED', `${new URL(url).pathname} answered ${response.status}`);
  return (await response.json()) as T;
}

async function mustExist(path: string): Promise<void> {
  await stat(path).catch((cause: unknown) => {
    throw new EngramError('FILE_NOT_FOUND', `there is no file or folder ${path}`, { file: path, cause });
  });
}

async function* sessionsOf(
  options: Options,
  atlasFolder: Parameters<typeof phantomSessions>[0],
  scans: string,
): AsyncGenerator<DemoSession> {
  if (options.t1 === undefined) {
    yield* phantomSessions(atlasFolder, scans, demoPlans(new Date()));
    return;
  }
  const sessionDate = options.sessionDate ?? new Date().toISOString().slice(0, 10);
  yield {
    sessionDate,
    t1: resolve(options.t1),
    pet: options.pet === undefined ? null : resolve(options.pet),
    scores: null,
    truth: null,
  };
}

interface RunContext {
  readonly platform: Platform;
  readonly progress: Progress;
  readonly started: number;
  readonly setup: number;
  readonly scans: string;
  readonly sessions: AsyncGenerator<DemoSession>;
}

async function run(
  options: Options,
  { platform, progress, started, setup, sessions }: RunContext,
): Promise<DemoReport> {
  const synthetic = options.t1 === undefined;
  const patient = synthetic ? DEMO_PATIENT : 'LOCAL-001';
  const { fhir, urls } = platform;
  await fhir.update({ ...demoPatient(patient, synthetic), id: patient });
  // The scores are in the record already when the scans arrive, as they are in a clinic.
  if (synthetic)
    for (const { sessionDate, scores } of demoPlans(new Date()))
      for (const observation of scores === null ? [] : scoreObservations(patient, sessionDate, scores))
        await fhir.create(observation);
  const watched: Watched[] = [];
  const posted: DemoSession[] = [];
  let complete = false;
  const signal = AbortSignal.timeout(LIMIT_MS);
  const posting = (async () => {
    for await (const session of sessions) {
      watched.push(await post(fhir, patient, session));
      posted.push(session);
      progress.say(`ImagingStudy of ${session.sessionDate} posted${synthetic ? ' (synthetic scans)' : ''}`);
    }
    complete = true;
  })();
  const ended = new AbortController();
  const firstForecast = synthetic
    ? firstForecastAfter(urls.prediction, patient, started, AbortSignal.any([signal, ended.signal]))
    : Promise.resolve(null);
  const [runs] = await Promise.all([
    untilEnded({ results: urls.results, studies: () => watched, complete: () => complete, progress, signal }),
    posting,
  ]);
  const shown = await Promise.all(posted.map((session, at) => shownSession(session, watched[at], runs, platform)));
  const passed = shown.filter((entry) => entry.features !== null).length;
  if (passed < shown.length) process.exitCode = 1;
  await platform.untilQuiet(signal);
  const forecast =
    synthetic && passed > 0
      ? await untilForecast(urls.prediction, patient, passed, signal)
      : await forecastOrNull(urls.prediction, patient);
  await platform.untilQuiet(signal);
  ended.abort();
  const first = await firstForecast;
  const { written_resources: resources } = await readJson<{ written_resources: number }>(
    `${urls.results}/api/v1/figures`,
  );
  const durations = {
    setup_s: setup,
    ...(first === null ? {} : { first_forecast_s: first }),
    total_s: seconds(started),
  };
  if (!options.json) show(shown, forecast, resources, durations, urls);
  return {
    sessions: shown.map((entry) => entry.report),
    forecast: forecast === null ? null : pick(forecast),
    write_back: { resources },
    durations,
    urls: { ...urls },
  };
}

const pick = ({
  predictions,
  intervals,
  confidence_scores,
  model_version,
  warnings,
}: Forecast): NonNullable<DemoReport['forecast']> => ({
  predictions,
  intervals,
  confidence_scores,
  model_version,
  warnings,
});

async function post(fhir: FhirClient, patient: string, session: DemoSession): Promise<Watched> {
  const study = await fhir.create(imagingStudy(patient, session));
  return { sessionDate: session.sessionDate, studyId: study.id ?? '' };
}

/** A real scan comes without scores: then there is no forecast, and the reason is shown. */
async function forecastOrNull(prediction: string, patient: string): Promise<Forecast | null> {
  const { askForecast } = await import('./predict.ts');
  return askForecast(prediction, patient).catch((error: unknown) => {
    if (error instanceof EngramError && error.code.startsWith('FORECAST_')) {
      process.stderr.write(`no forecast: ${error.message} (${error.code})\n`);
      return null;
    }
    throw error;
  });
}

async function shownSession(
  session: DemoSession,
  study: Watched | undefined,
  runs: Awaited<ReturnType<typeof untilEnded>>,
  platform: Platform,
): Promise<ShownSession> {
  const run = study && runs.get(study.studyId);
  if (study === undefined || run === undefined)
    throw new EngramError('RUN_NOT_FOUND', `no run of ${session.sessionDate} was seen`);
  if (run.error) process.stderr.write(`${session.sessionDate}: ${run.error.message} (${run.error.code})\n`);
  const features = run.status === 'completed' ? await featuresOf(platform, run.id) : null;
  return {
    session,
    features,
    seconds: run.fraction === 1 ? (Date.parse(run.updated_at) - Date.parse(run.created_at)) / 1000 : null,
    report: {
      session_date: run.session_date,
      study_id: study.studyId,
      run_id: run.id,
      trace_id: run.trace_id ?? '',
      status: run.status,
      qc: { ...features?.quality_metrics, verdict: features?.quality_metrics.verdict ?? 'fail' },
      features: { mri: features?.mri_roi_features.length ?? 0, pet: features?.pet_roi_features?.length ?? 0 },
    },
  };
}

async function featuresOf(platform: Platform, runId: string): Promise<RoiFeatures | null> {
  const { result } = await readJson<{ result: { artifacts: readonly ArtifactReference[] } | null }>(
    `${platform.urls.preprocessing}/runs/${runId}`,
  );
  const document = result?.artifacts.find(({ name }) => name === ARTIFACTS.roiFeatures);
  const text = document && (await platform.readObject(document.key));
  return text === undefined ? null : roiFeatures.parse(JSON.parse(text));
}

function show(
  shown: readonly ShownSession[],
  forecast: Forecast | null,
  resources: number,
  durations: DemoReport['durations'],
  urls: Platform['urls'],
): void {
  const parts = ['', sessionsTable(shown), '', regionsTable(shown)];
  if (forecast !== null)
    parts.push(
      '',
      `Forecast, months after ${forecast.index_date} (${forecast.model_version})`,
      forecastTable(forecast),
      ...forecast.warnings.map((warning) => `warning: ${warning.message}`),
    );
  parts.push(
    '',
    `${resources} FHIR resources written back`,
    durationsLine(durations),
    '',
    ...Object.entries(urls).map(([name, url]) => `${name.padEnd(14)} ${url}`),
    '',
    RESEARCH_USE_ONLY,
    SIMULATED_WEIGHTS,
    '',
  );
  process.stdout.write(parts.join('\n'));
}

async function untilInterrupted(platform: Platform, progress: Progress, options: Options): Promise<void> {
  progress.say(
    options.json
      ? 'done; serving on until interrupted'
      : `serving on; try: npx engram predict ${options.t1 === undefined ? DEMO_PATIENT : 'LOCAL-001'} --url ${platform.urls.prediction} — Ctrl-C ends`,
  );
  await new Promise<void>((done) => {
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => done());
  });
}
