/** The five services as five processes on real servers. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openFhir } from '@engram/fhir';
import type { RunningServer } from '../src/index.ts';
import { untilQuiet } from './events.ts';
import { type FollowOptions, followStudy, type Outcome } from './follow.ts';
import { type Ending, type Running, startEngram } from './platform.ts';
import { platformEnvironment, SERVICES, urlOf } from './settings.ts';

export interface DistributedResult {
  readonly outcome: Outcome;
  /** Of each service, stopped by SIGTERM. */
  readonly endings: ReadonlyMap<string, Ending>;
}

export interface DistributedOptions extends Omit<FollowOptions, 'fhir' | 'untilQuiet'> {
  readonly folder: string;
  readonly servers: ReadonlyMap<string, RunningServer>;
  /** OTLP over HTTP. */
  readonly tracesTo: string;
  /** Looks at the running platform, before it is stopped. */
  readonly inspect: (outcome: Outcome) => Promise<void>;
}

/** Variables of all servers together. @throws Error for one that is not there. */
export function settingOf(servers: ReadonlyMap<string, RunningServer>, name: string): string {
  for (const { environment } of servers.values()) if (environment[name] !== undefined) return environment[name];
  throw new Error(`no server gives ${name}`);
}

export async function runDistributed(options: DistributedOptions): Promise<DistributedResult> {
  const { folder, servers, ports, pacs, tracesTo, inspect } = options;
  const value = (name: string): string => settingOf(servers, name);
  const environment = {
    ...platformEnvironment({ home: join(folder, 'home'), ports, pacs }),
    ...Object.fromEntries([...servers.values()].flatMap((server) => Object.entries(server.environment))),
    ENGRAM_BUS_URL: value('KAFKA_URL'),
    ENGRAM_OBJECTS_URL: value('S3_URL'),
    ENGRAM_RECORDS_URL: value('MONGODB_URL'),
    ENGRAM_FHIR_URL: value('FHIR_URL'),
    ENGRAM_EXPORTER: 'otlp',
    ENGRAM_OTLP_URL: tracesTo,
  };
  const started = await Promise.allSettled(
    SERVICES.map((name) => startEngram(name, environment, folder, urlOf(ports, name))),
  );
  const running = started.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  try {
    const failed = started.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    await scrape(servers.get('prometheus'), ports);
    const fhir = openFhir({ url: value('FHIR_URL'), fetch });
    const outcome = await followStudy({ ...options, fhir, untilQuiet: () => untilQuiet(value('KAFKA_URL')) });
    await inspect(outcome);
    return { outcome, endings: await stopAll(running.splice(0)) };
  } finally {
    await stopAll(running);
  }
}

async function stopAll(running: readonly Running[]): Promise<ReadonlyMap<string, Ending>> {
  const endings = await Promise.all(running.map((one) => one.stop()));
  return new Map(running.map(({ name }, at) => [name, endings[at]]));
}

async function scrape(prometheus: RunningServer | undefined, ports: DistributedOptions['ports']): Promise<void> {
  const groups = SERVICES.map((service) => ({ targets: [`127.0.0.1:${ports[service]}`], labels: { service } }));
  await writeFile(join(prometheus?.dir ?? '', 'targets.json'), JSON.stringify(groups));
}
