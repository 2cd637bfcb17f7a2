/** What every scenario has: the platform on its servers, a group of patients of its own, and how long things took. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { EngramEvent } from '@engram/contracts';
import type { FhirClient } from '@engram/fhir';
import type { Fault, FaultProxy, ProxiedRequest } from '@engram/testing';
import { untilQuiet } from '../e2e/events.ts';
import type { Report } from '../e2e/report.ts';
import type { Ports } from '../e2e/settings.ts';
import type { Cluster } from '../load/cluster.ts';
import { checkEffects, countDone, keyOf } from '../load/effects.ts';
import { admit, type Scan, scansOf } from '../load/hospital.ts';
import type { Tail } from '../load/tail.ts';
import type { RunningServer } from '../src/index.ts';
import type { Clocks } from './clocks.ts';
import type { Measured } from './table.ts';

export interface S3Faults {
  readonly proxy: FaultProxy;
  /** Asked of every request from now on. */
  choose(fault: (request: ProxiedRequest) => Fault | undefined): void;
}

export interface Context {
  readonly report: Report;
  readonly cluster: Cluster;
  readonly servers: Map<string, RunningServer>;
  readonly ports: Ports;
  readonly fhir: FhirClient;
  readonly kafka: string;
  readonly tail: Tail;
  readonly s3: S3Faults;
  /** Stops a server, by SIGKILL or in order, and starts it again on its data after `downMs`. */
  restart(server: string, how: 'kill' | 'stop', downMs: number): Promise<void>;
  imageUrl(scan: Scan): string;
  readonly measured: Measured[];
  readonly clocks: Clocks;
  /** Put full, and free again. */
  readonly workDisk: { fill(): void; free(): void } | undefined;
  /** How long the FHIR server is away. */
  readonly fhirDownMs: number;
  readonly say: (text: string) => void;
}

const LIMIT_MS = 15 * 60_000;
const LOOK_EVERY_MS = 250;

/** Resolves when every scan is done, whatever does not answer meanwhile. @throws Error when it takes too long. */
export async function untilDone({ fhir, say }: Context, scans: readonly Scan[]): Promise<void> {
  const end = Date.now() + LIMIT_MS;
  for (;;) {
    const done = await countDone(fhir, scans).catch(() => -1);
    if (done === scans.length) return;
    if (Date.now() > end) throw new Error(`${done} of ${scans.length} scans were done in time`);
    if (done >= 0) say(`${done} of ${scans.length} done`);
    await sleep(LOOK_EVERY_MS);
  }
}

export interface Trial {
  /** Of the report and the table; its letters and digits name the patients. */
  readonly name: string;
  readonly count?: number;
  /** Called when the scans have been posted: breaks something in the middle of the work, and resolves when it is whole. */
  readonly fault?: (scans: readonly Scan[]) => Promise<void>;
  /** Called before the scans are posted. */
  readonly before?: () => Promise<void>;
}

export const SCANS = 4;

/** Posts scans, breaks something meanwhile, waits until all is done, and checks that nothing was lost or doubled. */
export async function trial(context: Context, { name, count = SCANS, fault, before }: Trial): Promise<void> {
  const { report, fhir, kafka, measured, imageUrl } = context;
  const scans = scansOf(name.toLowerCase().replace(/[^a-z0-9]+/g, '-'), count);
  const start = performance.now();
  await report.check(name, 'everything is done in the end', async () => {
    await before?.();
    await Promise.all([admit(fhir, scans, imageUrl), fault?.(scans)]);
    const whole = performance.now();
    await untilDone(context, scans);
    const end = performance.now();
    measured.push({ name, scans: count, seconds: (end - start) / 1000, recovery: fault && (end - whole) / 1000 });
    await untilQuiet(kafka);
    return fault && `${((end - whole) / 1000).toFixed(1)} s after the fault ended`;
  });
  await checkEffects(report, name, { fhir, kafka, scans });
}

/** The next event of a type about one of these patients. */
export function nextOf(
  { tail, fhir }: Context,
  scans: readonly Scan[],
  type: string,
  isIt: (event: EngramEvent) => boolean = () => true,
): Promise<EngramEvent> {
  const keys = new Set(scans.map((scan) => keyOf(fhir, scan)));
  return tail.next((event) => event.type === type && keys.has(event.partitionkey) && isIt(event), 120_000);
}
