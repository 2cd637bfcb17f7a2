/**
 * Breaks one thing after another under a platform at work on real servers: `npm run faults [-- --only TEXT] [--fhir-down-s N]
 * [--keep]`. The imaging pipeline is a recorded result, all else is real, with its own retry times. See ../README.md.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { openFhir } from '@engram/fhir';
import { type Fault, type ProxiedRequest, startFaultProxy } from '@engram/testing';
import { settingOf } from '../e2e/distributed-run.ts';
import { endAllEngrams } from '../e2e/platform.ts';
import { Report } from '../e2e/report.ts';
import { choosePorts } from '../e2e/settings.ts';
import { startCluster } from '../load/cluster.ts';
import { followTopics } from '../load/tail.ts';
import { type RunningServer, startServers } from '../src/index.ts';
import { openClocks } from './clocks.ts';
import { type Context, SCANS, trial } from './context.ts';
import { jumpingClocks, notificationsAfterAWeek } from './scenarios/clocks.ts';
import { repeatedNotifications } from './scenarios/notifications.ts';
import { poisonEvents } from './scenarios/poison.ts';
import { absentFhir, faultyStore, fullDisk, killedBroker, restartedRecords } from './scenarios/servers.ts';
import { killedServices } from './scenarios/services.ts';
import { type Measured, tableOf } from './table.ts';
import { mountWorkDisk } from './work-disk.ts';

const SERVERS = ['kafka', 'minio', 'mongodb', 'hapi'];
const TASK_MS = 1500;
const IMAGE_BYTES = 200_000;

const SCENARIOS: Readonly<Record<string, (context: Context) => Promise<void>>> = {
  none: (context) => trial(context, { name: 'no fault' }),
  load: (context) => trial(context, { name: 'no fault, under load', count: 3 * SCANS }),
  services: killedServices,
  broker: killedBroker,
  store: faultyStore,
  records: restartedRecords,
  notifications: repeatedNotifications,
  week: notificationsAfterAWeek,
  clocks: jumpingClocks,
  disk: fullDisk,
  fhir: absentFhir,
  // Last: what it leaves in the topics no later check could tell from a loss.
  poison: poisonEvents,
};

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: Object.keys(SCENARIOS) },
    'fhir-down-s': { type: 'string', default: '10' },
    keep: { type: 'boolean', default: false },
  },
});
const folder = mkdtempSync(join(tmpdir(), 'engram-faults-'));
const report = new Report();
const measured: Measured[] = [];
const servers = new Map<string, RunningServer>();
let last = '';
const say = (text: string): void => {
  if (text !== last) process.stderr.write(`${text}\n`);
  last = text;
};

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void end(1));

const disk = mountWorkDisk(join(folder, 'work-disk'));
try {
  await underFaults();
} catch (error) {
  await report.check('the run', 'goes through to its end', () => Promise.reject(error));
}
await end(report.failed === 0 ? 0 : 1);

async function end(status: number): Promise<never> {
  endAllEngrams();
  await Promise.all([...servers.values()].map((server) => server.stop()));
  disk?.remove();
  if (values.keep || report.failed > 0) say(`logs and data: ${folder}`);
  else rmSync(folder, { recursive: true, force: true });
  process.stdout.write(`${tableOf(measured)}\n\n${report.text()}`);
  process.exit(status);
}

async function start(names: readonly string[]): Promise<void> {
  for (const server of await startServers(names, { dir: join(folder, 'servers'), progress: say })) {
    servers.set(server.name, server);
  }
}

async function underFaults(): Promise<void> {
  await start(SERVERS);
  const value = (name: string): string => settingOf(servers, name);
  const images = join(folder, 'images');
  mkdirSync(images);
  let choose: (request: ProxiedRequest) => Fault | undefined = () => undefined;
  const proxy = await startFaultProxy({
    target: value('AWS_ENDPOINT_URL_S3'),
    fault: (request) => choose(request),
    slowMs: 3000,
  });
  const ports = await choosePorts();
  // The test looks at the store itself, past the proxy.
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_REGION']) process.env[name] = value(name);
  const clocks = openClocks(join(folder, 'clocks'));
  const cluster = await startCluster({
    folder,
    servers,
    ports,
    environment: {
      ENGRAM_BUS_URL: value('KAFKA_URL'),
      ENGRAM_OBJECTS_URL: `s3://engram-test?endpoint=${proxy.url}`,
      AWS_ENDPOINT_URL_S3: proxy.url,
      ENGRAM_RECORDS_URL: value('MONGODB_URL'),
      ENGRAM_FHIR_URL: value('FHIR_URL'),
      ENGRAM_ALLOW: pathToFileURL(images).href,
      ENGRAM_POLL_S: '30',
      ENGRAM_WORKERS: '2',
      ...clocks.environment,
      RECORDED_TASK_MS: String(TASK_MS),
      RECORDED_IMAGE_BYTES: String(IMAGE_BYTES),
      RECORDED_JOURNAL: join(folder, 'journal'),
      ...(disk === undefined ? {} : { TMPDIR: disk.folder }),
    },
  });
  const tail = await followTopics(value('KAFKA_URL'));
  const context: Context = {
    report,
    cluster,
    servers,
    ports,
    fhir: openFhir({ url: value('FHIR_URL'), fetch }),
    kafka: value('KAFKA_URL'),
    tail,
    s3: {
      proxy,
      choose(fault) {
        choose = fault;
      },
    },
    async restart(name, how, downMs) {
      await servers.get(name)?.[how]();
      await sleep(downMs);
      await start([name]);
    },
    imageUrl({ studyId }) {
      const file = join(images, `${studyId}.nii.gz`);
      writeFileSync(file, 'an image that only the recorded pipeline takes');
      return pathToFileURL(file).href;
    },
    measured,
    clocks,
    workDisk: disk,
    fhirDownMs: Number(values['fhir-down-s']) * 1000,
    say,
  };
  await untilSubscribed(context);
  for (const name of values.only) {
    const scenario = SCENARIOS[name];
    if (scenario === undefined) throw new Error(`--only is one of ${Object.keys(SCENARIOS).join(', ')}`);
    await scenario(context);
  }
  await tail.close();
  await cluster.stop();
  await proxy.close();
}

/** A server may call a Subscription active a moment before it heeds it; the poll would find what it tells nobody. */
async function untilSubscribed({ fhir }: Context): Promise<void> {
  while ((await fhir.search('Subscription', { status: 'active' })).length < 3) await sleep(500);
  await sleep(3000);
}
