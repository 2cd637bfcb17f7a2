/**
 * One real study through Engram on real servers: `npm run e2e [-- --study DIR|TAR] [--keep] [--dir DIR]`. What comes out must equal, to the
 * last digit, what an embedded platform makes of the same study. See ../README.md.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openFhir } from '@engram/fhir';
import { hasSharedData, sharedData, storeInstances } from '@engram/testing';
import { type RunningServer, startServers } from '../src/index.ts';
import { checkEvents } from './checks/events.ts';
import { checkFhir } from './checks/fhir.ts';
import { checkNumbers } from './checks/numbers.ts';
import { checkObjects } from './checks/objects.ts';
import { checkMetrics, checkTraces } from './checks/telemetry.ts';
import { runDistributed, settingOf } from './distributed-run.ts';
import { type EmbeddedResult, runEmbedded } from './embedded-run.ts';
import { startBridge } from './otlp-to-zipkin.ts';
import { endAllEngrams } from './platform.ts';
import { Report } from './report.ts';
import { choosePorts, type Ports, urlOf } from './settings.ts';
import { instancesOf, type RealStudy, readStudy } from './study.ts';
import { writeSyntheticStudy } from './synthetic-study.ts';

const DAY_MS = 86_400_000;
/** All but the FHIR server, whose port the embedded one uses first. */
const BEFORE = ['kafka', 'minio', 'mongodb', 'fhir-validator', 'orthanc', 'zipkin', 'prometheus'];

const { values } = parseArgs({
  options: {
    // Default: the real study among the public test data; where that is not there, a synthetic one.
    study: { type: 'string' },
    keep: { type: 'boolean', default: false },
    // Goes on where an earlier one that kept its folder stopped: what is done is found done.
    dir: { type: 'string' },
  },
});
const folder = values.dir ?? mkdtempSync(join(tmpdir(), 'engram-e2e-'));
const say = changedOnly((text) => process.stderr.write(`${text}\n`));
const report = new Report();
const servers = new Map<string, RunningServer>();

const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort(new Error(signal)));

try {
  await Promise.race([endToEnd(await chosenStudy()), untilAborted(interrupted.signal)]);
} catch (error) {
  await report.check('the run', 'goes through to its end', () => Promise.reject(error));
} finally {
  endAllEngrams();
  await Promise.all([...servers.values()].map((server) => server.stop()));
  if (values.keep || values.dir !== undefined || report.failed > 0) say(`logs and data: ${folder}`);
  else rmSync(folder, { recursive: true, force: true });
}
process.stdout.write(report.text());
// An interrupted run may still be waiting for something.
process.exit(report.failed === 0 ? 0 : 1);

async function endToEnd(study: RealStudy): Promise<void> {
  const ports = await keptPorts();
  await start(BEFORE, {});
  const pacs = settingOf(servers, 'DICOMWEB_URL');
  const common = { ports, pacs, study, scoreDate: daysAgo(30) };

  await report.check('PACS', 'the study is stored over STOW-RS', async () => {
    const stored = await storeInstances(pacs, instancesOf(study));
    const instances = study.series.reduce((sum, series) => sum + series.instances.length, 0);
    if (stored !== instances) throw new Error(`${stored} of ${instances} instances were stored`);
    return `${stored} instances, study of ${study.date}`;
  });
  const embedded = await runEmbedded({
    ...common,
    folder: join(folder, 'embedded'),
    say: (text) => say(`embedded: ${text}`),
  });
  await start(['hapi'], { hapi: { http: ports.fhir } });
  const bridge = await startBridge(settingOf(servers, 'ZIPKIN_URL'));
  try {
    const { endings } = await runDistributed({
      ...common,
      folder: join(folder, 'distributed'),
      servers,
      tracesTo: bridge.url,
      say: (text) => say(`distributed: ${text}`),
      inspect: (outcome) => inspect(outcome, study, embedded, urlOf(ports, 'ingestion')),
    });
    for (const [service, ending] of endings) {
      await report.check('services', `${service} ends by itself on SIGTERM and leaves no process behind`, () => {
        if (ending.status !== 0 || ending.leftBehind) throw new Error(JSON.stringify(ending));
        return undefined;
      });
    }
  } finally {
    await bridge.close();
  }
}

async function inspect(
  outcome: EmbeddedResult['outcome'],
  study: RealStudy,
  embedded: EmbeddedResult,
  ingestion: string,
): Promise<void> {
  const { patientKey, run } = outcome;
  const value = (name: string): string => settingOf(servers, name);
  await checkNumbers(report, outcome, embedded.outcome);
  await checkEvents(report, { kafka: value('KAFKA_URL'), embedded: embedded.events, runId: run.id, patientKey });
  const environment = servers.get('minio')?.environment ?? {};
  // The platform's own S3 client takes its credentials from here too.
  Object.assign(process.env, environment);
  await checkObjects(report, { s3: value('S3_URL'), environment, outcome, study, embedded: embedded.objects });
  const fhir = openFhir({ url: value('FHIR_URL'), fetch });
  await checkFhir(report, { fhir, outcome, ingestion, validator: value('FHIR_VALIDATOR_URL') });
  await checkTraces(report, value('ZIPKIN_URL'), outcome);
  await checkMetrics(report, value('PROMETHEUS_URL'));
}

/** Ids rest on addresses, so a folder keeps its ports. */
async function keptPorts(): Promise<Ports> {
  const file = join(folder, 'ports.json');
  if (!existsSync(file)) writeFileSync(file, JSON.stringify(await choosePorts()));
  return JSON.parse(readFileSync(file, 'utf8')) as Ports;
}

async function start(names: readonly string[], ports: Record<string, Record<string, number>>): Promise<void> {
  for (const server of await startServers(names, { dir: join(folder, 'servers'), ports, progress: say })) {
    servers.set(server.name, server);
  }
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
}

async function chosenStudy(): Promise<RealStudy> {
  if (values.study !== undefined) return unpackedStudy(values.study);
  if (hasSharedData) return unpackedStudy(sharedData('dicom', 'studyforrest_T1_dicom.tar.xz'));
  say('the public test data is not here: a synthetic study takes its place');
  const target = join(folder, 'study');
  await writeSyntheticStudy(target, daysAgo(60));
  return readStudy(target);
}

/** A folder as it is, an archive unpacked. */
async function unpackedStudy(path: string): Promise<RealStudy> {
  if (statSync(path).isDirectory()) return readStudy(path);
  const target = join(folder, 'study');
  mkdirSync(target, { recursive: true });
  execFileSync('tar', ['-C', target, '-xf', path]);
  return readStudy(target);
}

function daysAgo(days: number): string {
  return new Date(Date.now() - days * DAY_MS).toISOString().slice(0, 10);
}

/** Says nothing twice in a row. */
function changedOnly(write: (text: string) => void): (text: string) => void {
  let last = '';
  return (text) => {
    if (text !== last) write(text);
    last = text;
  };
}
