/** The servers go away in the middle of the work and come back. */
import { setTimeout as sleep } from 'node:timers/promises';
import { events } from '@engram/contracts';
import type { Fault, ProxiedRequest } from '@engram/testing';
import { type Context, nextOf, SCANS, trial } from '../context.ts';

const UNDER_LOAD = 3 * SCANS;

export async function killedBroker(context: Context): Promise<void> {
  await trial(context, {
    name: 'broker killed under load',
    count: UNDER_LOAD,
    async fault(scans) {
      await nextOf(context, scans, events.runCompleted.type);
      await context.restart('kafka', 'kill', 5000);
    },
  });
}

export async function restartedRecords(context: Context): Promise<void> {
  await trial(context, {
    name: 'records restarted',
    count: UNDER_LOAD,
    async fault(scans) {
      await nextOf(context, scans, events.runCompleted.type);
      await context.restart('mongodb', 'stop', 5000);
    },
  });
}

export async function absentFhir(context: Context): Promise<void> {
  await trial(context, {
    name: `FHIR server away for ${context.fhirDownMs / 1000} s`,
    async fault(scans) {
      await nextOf(context, scans, events.runCompleted.type);
      await context.restart('hapi', 'kill', context.fhirDownMs);
    },
  });
}

const S3_FAULTS: readonly (readonly [string, Fault])[] = [
  ['S3 answers 503', 'unavailable'],
  ['S3 stores, then answers 500', 'lost-answer'],
  ['S3 answers break off', 'truncated'],
  ['S3 is slow', 'slow'],
];

/** Every second request fails until enough have; the health probe's are left alone. */
const FAULTS_EACH = 15;

export async function faultyStore(context: Context): Promise<void> {
  for (const [name, fault] of S3_FAULTS) {
    await trial(context, {
      name,
      async fault() {
        let requests = 0;
        let faults = 0;
        const { promise, resolve } = Promise.withResolvers<void>();
        context.s3.choose((request) => {
          if (isProbe(request) || ++requests % 2 !== 0) return undefined;
          if (++faults === FAULTS_EACH) resolve();
          return faults <= FAULTS_EACH ? fault : undefined;
        });
        await Promise.race([promise, sleep(120_000, undefined, { ref: false })]);
        if (faults < FAULTS_EACH) throw new Error(`the store was asked too seldom: ${faults} faults`);
      },
    });
  }
}

const isProbe = ({ path }: ProxiedRequest): boolean => path.includes('readyz');

/** Of the machine that the workers run on. */
export async function fullDisk(context: Context): Promise<void> {
  const { workDisk, say } = context;
  if (workDisk === undefined) return say('a full disk: left out, because no file system may be mounted here');
  await trial(context, {
    name: 'disk full on the worker',
    before: async () => workDisk.fill(),
    async fault(scans) {
      await nextOf(context, scans, events.runProgressed.type, ({ data }) => hasFailedOnce(data));
      workDisk.free();
    },
  });
}

/** Back among those that wait, after work on it had begun. */
const hasFailedOnce = (data: unknown): boolean => (data as { run_status: string }).run_status === 'executing';
