/** N scans through the platform at once, with a worker killed half way and an urgent run asked for in the middle. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { openBus } from '@engram/bus';
import { patientKey } from '@engram/config';
import { type EngramEvent, events } from '@engram/contracts';
import { settingOf } from '../e2e/distributed-run.ts';
import { GROUPS, untilQuiet } from '../e2e/events.ts';
import type { Report } from '../e2e/report.ts';
import { choosePorts, SITE_SECRET, urlOf } from '../e2e/settings.ts';
import { type Cluster, startCluster } from '../load/cluster.ts';
import { type Scan, scansOf, studyOf } from '../load/hospital.ts';
import { followTopics, type Tail } from '../load/tail.ts';
import { type RunningServer, startServers } from '../src/index.ts';
import { type HospitalServer, openHospital } from './hospital-server.ts';
import { type Samples, watch } from './sampler.ts';
import { type StageTimes, stagesOf } from './stages.ts';

export interface ScaleResult {
  readonly scans: number;
  readonly seconds: number;
  /** Seconds from the request of an urgent run to a worker's claim. */
  readonly urgentWait: number;
  /** The same, just after a worker that may have been the one to hear of it was killed. */
  readonly urgentWaitAfterKill: number;
  readonly stages: readonly StageTimes[];
  readonly samples: Samples;
}

export interface ScaleOptions {
  readonly scans: number;
  readonly taskMs: number;
  /** How many of the scans' patients live on a real FHIR server: HAPI. */
  readonly realFhir: number;
  readonly report: Report;
  /** Ends it early, with all that it started. */
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
}

const SERVERS = ['kafka', 'minio', 'mongodb'];
const WORKERS = 4;
/** What is written back is most of all events. */
const WRITERS = 2;
const IMAGE_BYTES = 50_000;
const AT_ONCE = 8;
const NOTIFY_TRIES = 5;
const NOTIFY_AGAIN_MS = 1000;
const LIMIT_MS = 180 * 60_000;

export async function scaleTrial(options: ScaleOptions): Promise<ScaleResult> {
  const folder = mkdtempSync(join(tmpdir(), 'engram-scale-'));
  const servers = new Map<string, RunningServer>();
  try {
    const names = [...SERVERS, ...(options.realFhir > 0 ? ['hapi'] : [])];
    for (const server of await startServers(names, {
      dir: join(folder, 'servers'),
      progress: options.say,
      busy: true,
    })) {
      servers.set(server.name, server);
    }
    const result = await onServers(options, folder, servers);
    rmSync(folder, { recursive: true, force: true });
    return result;
  } finally {
    await Promise.all([...servers.values()].map((server) => server.stop()));
    if (existsSync(folder)) options.say(`logs and data: ${folder}`);
  }
}

async function onServers(
  options: ScaleOptions,
  folder: string,
  servers: ReadonlyMap<string, RunningServer>,
): Promise<ScaleResult> {
  const value = (name: string): string => settingOf(servers, name);
  const images = join(folder, 'images');
  const imageOf = ({ studyId }: Scan): string => join(images, `${studyId}.nii.gz`);
  mkdirSync(images);
  const scans = scansOf('scale', options.scans + 1);
  for (const scan of scans) writeFileSync(imageOf(scan), 'an image that only the recorded pipeline takes');
  const fhir = await openHospital({
    scans,
    real: options.realFhir > 0 ? { scans: spreadOver(scans, options.realFhir), url: value('FHIR_URL') } : undefined,
    imageUrl: (scan) => pathToFileURL(imageOf(scan)).href,
  });
  options.say(`${scans.length} patients are admitted`);
  await fhir.admit();
  const ports = await choosePorts();
  const journal = join(folder, 'journal');
  const cluster = await startCluster({
    folder,
    servers,
    ports,
    replicas: { preprocessing: WORKERS, prediction: WORKERS, results: WRITERS },
    environment: {
      ENGRAM_BUS_URL: value('KAFKA_URL'),
      ENGRAM_OBJECTS_URL: value('S3_URL'),
      ENGRAM_RECORDS_URL: value('MONGODB_URL'),
      ENGRAM_FHIR_URL: fhir.url,
      ENGRAM_ALLOW: pathToFileURL(images).href,
      RECORDED_TASK_MS: String(options.taskMs),
      RECORDED_IMAGE_BYTES: String(IMAGE_BYTES),
      RECORDED_JOURNAL: journal,
    },
  });
  const tail = await followTopics(value('KAFKA_URL'));
  const place = { kafka: value('KAFKA_URL'), ingestion: urlOf(ports, 'ingestion'), results: urlOf(ports, 'results') };
  try {
    const watched = [
      ...cluster.replicas.map(({ service, pid = 0 }) => ({ name: service, pid })),
      ...[...servers.values()].map(({ name, pid }) => ({ name, pid })),
    ];
    return await load({ ...options, ...place, scans, fhir, cluster, tail, journal, watched });
  } finally {
    await tail.close();
    await cluster.stop();
    await fhir.close();
  }
}

/** `count` of them at even distances, never the last, which is the one that is known before. */
const spreadOver = (scans: readonly Scan[], count: number): Scan[] => {
  const step = Math.max(1, Math.floor((scans.length - 1) / count));
  return scans.slice(0, -1).filter((_, at) => at % step === 0 && at / step < count);
};

interface Load extends Omit<ScaleOptions, 'scans'> {
  readonly kafka: string;
  readonly ingestion: string;
  readonly results: string;
  /** The last one is done before the others, and asked for again, urgently, in their middle. */
  readonly scans: readonly Scan[];
  readonly fhir: HospitalServer;
  readonly cluster: Cluster;
  readonly tail: Tail;
  readonly journal: string;
  readonly watched: Parameters<typeof watch>[1];
}

async function load(given: Load): Promise<ScaleResult> {
  const { scans, fhir, cluster, tail, kafka, report, signal, say, watched } = given;
  const many = scans.slice(0, -1);
  const known = scans.at(-1) as Scan;
  await notify(given, known);
  await until('the first scan is done', signal, () => fhir.reportedAt(known.studyId) !== undefined);
  const endWatch = await watch(kafka, watched);
  const start = Date.now();
  const posting = notifyAll(given, many);
  // Waited for below; until then a failure must not end the process before it has stopped what it started.
  posting.catch(() => undefined);
  await until('half of them are done', signal, () => {
    say(`${fhir.reportedCount() - 1} of ${many.length}`);
    return fhir.reportedCount() - 1 >= many.length / 2;
  });
  const urgentWait = await askUrgently(given, known, 'stroke');
  await Promise.all([
    cluster.of('preprocessing').kill(),
    cluster.replicas.findLast(({ service }) => service === 'prediction')?.kill(),
  ]);
  const urgentWaitAfterKill = await askUrgently(given, known, 'stroke-after-kill');
  await posting;
  await until('all of them are done', signal, () => {
    say(`${fhir.reportedCount() - 1} of ${many.length}`);
    return many.every(
      ({ studyId }) => fhir.reportedAt(studyId) !== undefined && fhir.statusOf(studyId) === 'completed',
    );
  });
  const seconds = (Date.now() - start) / 1000;
  const samples = await endWatch();
  await untilQuiet(kafka);
  await checkAll(given, many);
  const keyOf = ({ patientId }: Scan) => patientKey(SITE_SECRET, fhir.url, patientId);
  const keys = new Map(many.map((scan) => [scan.studyId, keyOf(scan)]));
  const writtenAt = new Map([...keys].map(([studyId, key]) => [key, fhir.reportedAt(studyId) ?? Number.NaN]));
  const own = new Set(keys.values());
  const all = Object.values(events).flatMap(({ type }) =>
    tail.seen(type).filter((event) => own.has(event.partitionkey)),
  );
  const longest = (2 * given.taskMs) / 1000 + URGENT_OVERHEAD_S;
  const checkWait = (what: string, wait: number, most: number) =>
    report.check(areaOf(many), what, () => {
      assert.ok(wait <= most, `${wait.toFixed(1)} s; allowed ${most} s`);
      return `${wait.toFixed(1)} s`;
    });
  await checkWait('an urgent run waits no longer than a run under way', urgentWait, longest);
  await checkWait('one asked for as a worker dies, for its session besides', urgentWaitAfterKill, longest + SESSION_S);
  return { scans: many.length, seconds, urgentWait, urgentWaitAfterKill, stages: stagesOf(all, writtenAt), samples };
}

const areaOf = (many: readonly Scan[]): string => `${many.length} scans`;

/** Of the request over HTTP and Kafka, and of a worker's last writes. */
const URGENT_OVERHEAD_S = 5;
/** After which Kafka gives a dead worker's partitions to another: the bus's `session_ms`. */
const SESSION_S = 10;

/** Tries again as a FHIR server does whose notification was not taken. */
async function notify({ ingestion, fhir }: Load, scan: Scan): Promise<void> {
  await fhir.post(scan);
  for (let tries = 1; ; tries++) {
    const response = await fetch(`${ingestion}/api/v1/notifications`, {
      method: 'POST',
      headers: { 'content-type': 'application/fhir+json' },
      body: JSON.stringify(studyOf(scan, '')),
    });
    await response.arrayBuffer();
    if (response.status === 200) return;
    if (tries === NOTIFY_TRIES) throw new Error(`a notification was answered ${response.status}`);
    await sleep(NOTIFY_AGAIN_MS);
  }
}

async function notifyAll(given: Load, scans: readonly Scan[]): Promise<void> {
  const left = [...scans];
  const post = async (): Promise<void> => {
    for (let scan = left.shift(); scan !== undefined; scan = left.shift()) await notify(given, scan);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, post));
}

/** @returns seconds until a worker has claimed it. */
async function askUrgently({ results, tail }: Load, { studyId }: Scan, requestId: string): Promise<number> {
  let runId: string | undefined;
  const claimed = tail.next(
    ({ type, subject, data }) =>
      type === events.runProgressed.type &&
      subject === runId &&
      (data as { run_status: string }).run_status === 'validating',
    LIMIT_MS,
  );
  const response = await fetch(`${results}/api/v1/runs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ study_id: studyId, priority: 'urgent', request_id: requestId }),
  });
  const body = (await response.json()) as { id?: string; created_at?: string };
  if (body.id === undefined) throw new Error(`an urgent run was refused: ${JSON.stringify(body)}`);
  runId = body.id;
  return (Date.parse((await claimed).time) - Date.parse(body.created_at ?? '')) / 1000;
}

async function until(what: string, signal: AbortSignal, isSo: () => boolean): Promise<void> {
  const end = Date.now() + LIMIT_MS;
  while (!isSo()) {
    signal.throwIfAborted();
    if (Date.now() > end) throw new Error(`too late: ${what}`);
    await sleep(250);
  }
}

async function checkAll({ fhir, tail, kafka, report, journal }: Load, many: readonly Scan[]): Promise<void> {
  const area = areaOf(many);
  const keys = new Set(many.map(({ patientId }) => patientKey(SITE_SECRET, fhir.url, patientId)));
  const distinct = (type: string): EngramEvent[] => [
    ...new Map(
      tail
        .seen(type)
        .filter((event) => keys.has(event.partitionkey))
        .map((event) => [event.id, event]),
    ).values(),
  ];
  await report.check(area, 'nothing is lost: one run, one feature set, one forecast from it a scan', () => {
    // A score that a real server tells of makes a forecast too, from no scan.
    const fromScan = distinct(events.forecastMade.type)
      .map(({ data }) => data as { forecast_id: string; feature_sets: readonly unknown[] })
      .filter(({ feature_sets }) => feature_sets.length > 0)
      .map(({ forecast_id }) => forecast_id);
    const counts = [events.runRequested, events.runCompleted, events.featuresStored].map(
      ({ type }) => distinct(type).length,
    );
    assert.deepEqual([...counts, new Set(fromScan).size], [many.length, many.length, many.length, many.length]);
    return undefined;
  });
  await fhir.check(report, area, kafka);
  await report.check(area, 'what a dead worker had finished was not computed again', () => {
    const lines = readFileSync(journal, 'utf8').trim().split('\n');
    assert.equal(new Set(lines).size, lines.length);
    // The urgent run of the scan that was done before finds its results.
    assert.equal(lines.length, 2 * (many.length + 1));
    return `${lines.length} tasks`;
  });
  await report.check(area, 'no dead letters', async () => {
    const bus = await openBus(kafka);
    try {
      const counts = await Promise.all(GROUPS.map(async (group) => (await bus.deadLetters(group)).length));
      assert.deepEqual(
        counts,
        GROUPS.map(() => 0),
      );
    } finally {
      await bus.close();
    }
    return undefined;
  });
}
