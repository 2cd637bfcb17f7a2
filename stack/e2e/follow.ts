/** One patient's way through a running platform, as its users see it: over HTTP and the FHIR server only. */
import { setTimeout as sleep } from 'node:timers/promises';
import { patientKey } from '@engram/config';
import { type Forecast, forecast, type RoiFeatures, type RunView, roiFeatures } from '@engram/contracts';
import type { FhirClient } from '@engram/fhir';
import { imagingStudyOf, PATIENT_ID, resourcesBefore, STUDY_ID } from './resources.ts';
import { fhirUrlOf, type Ports, SITE_SECRET, urlOf } from './settings.ts';
import type { RealStudy } from './study.ts';

export interface Outcome {
  readonly patientKey: string;
  readonly run: RunView;
  readonly features: RoiFeatures;
  readonly forecast: Forecast;
}

export interface FollowOptions {
  readonly fhir: FhirClient;
  readonly ports: Ports;
  readonly pacs: string;
  readonly study: RealStudy;
  /** Of the visit with the scores. */
  readonly scoreDate: string;
  /** Resolves when every consumer has handled every event. */
  readonly untilQuiet: () => Promise<void>;
  readonly say: (text: string) => void;
}

const LIMIT_MS = 20 * 60_000;
/** A server may call a Subscription active a moment before it heeds it. */
const SETTLING_MS = 3000;
const SUBSCRIPTIONS = 3;
const ENDED = new Set(['completed', 'failed', 'cancelled']);

/** Posts what a hospital would, scan last, and waits for the forecast and its write-back. @throws Error when it takes too long. */
export async function followStudy(options: FollowOptions): Promise<Outcome> {
  const { fhir, ports, pacs, study, scoreDate, untilQuiet, say } = options;
  const signal = AbortSignal.timeout(LIMIT_MS);
  await until('the FHIR server tells ingestion', signal, () => subscribed(fhir, urlOf(ports, 'ingestion')));
  await sleep(SETTLING_MS);
  for (const resource of resourcesBefore(scoreDate, pacs)) await fhir.update(resource);
  const key = patientKey(SITE_SECRET, fhirUrlOf(ports), PATIENT_ID);
  await until('the scores are known', signal, () => knownScores(ports));
  await untilQuiet();
  if (!(await fhir.read('ImagingStudy', STUDY_ID))) await fhir.update(imagingStudyOf(study));
  const run = await until('the run ends', signal, () => endedRun(ports, say));
  if (run.status !== 'completed') throw new Error(`the run ended as ${run.status}: ${JSON.stringify(run.error)}`);
  const made = await until('the forecast takes in the scan', signal, () => forecastWithScan(ports));
  await untilQuiet();
  const features = await read(
    `${urlOf(ports, 'feature-store')}/api/v1/sessions/${key}/${run.session_date}/features`,
    roiFeatures,
  );
  return { patientKey: key, run, features, forecast: made };
}

async function until<T>(what: string, signal: AbortSignal, look: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (signal.aborted) throw new Error(`too late: ${what}`);
    await sleep(500);
  }
}

async function read<T>(url: string, schema: { parse(value: unknown): T }): Promise<T> {
  const response = await fetch(url);
  if (response.status !== 200) throw new Error(`${new URL(url).pathname} answered ${response.status}`);
  return schema.parse(await response.json());
}

async function subscribed(fhir: FhirClient, endpoint: string): Promise<true | undefined> {
  const all = await fhir.search('Subscription', { status: 'active' });
  return all.filter(({ channel }) => channel.endpoint?.startsWith(endpoint)).length === SUBSCRIPTIONS || undefined;
}

/** Asked before there is a scan the forecast is refused; which refusal tells whether scores are known. */
async function knownScores(ports: Ports): Promise<true | undefined> {
  const { code } = await askForecast(ports);
  return code === 'PATIENT_NOT_FOUND' || code === 'FORECAST_NO_SCORES' ? undefined : true;
}

async function endedRun(ports: Ports, say: (text: string) => void): Promise<RunView | undefined> {
  const response = await fetch(`${urlOf(ports, 'results')}/api/v1/runs`);
  const { runs } = (await response.json()) as { runs: readonly RunView[] };
  const run = runs.find(({ study_id }) => study_id === STUDY_ID);
  if (run !== undefined) say(`${run.status} ${Math.round(run.fraction * 100)} %`);
  return run !== undefined && ENDED.has(run.status) ? run : undefined;
}

async function forecastWithScan(ports: Ports): Promise<Forecast | undefined> {
  const { made } = await askForecast(ports);
  return made !== undefined && made.inputs.feature_sets.length > 0 ? made : undefined;
}

async function askForecast(ports: Ports): Promise<{ readonly made?: Forecast; readonly code?: string }> {
  const response = await fetch(`${urlOf(ports, 'prediction')}/api/v1/adni/predict-progression`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ patient_id: PATIENT_ID }),
  });
  const body = await response.json();
  return response.ok ? { made: forecast.parse(body) } : { code: (body as { code: string }).code };
}
