/** kill -9 of each service at an event that it is just then working on, and its start one second later. */
import { setTimeout as sleep } from 'node:timers/promises';
import { events } from '@engram/contracts';
import type { ServiceName } from '../../e2e/settings.ts';
import { type Context, nextOf, trial } from '../context.ts';

const DOWN_MS = 1000;

/** What a service has before it, or has just said of its work, when it is killed. */
const MOMENTS: readonly (readonly [ServiceName, string])[] = [
  ['ingestion', events.studyReceived.type],
  ['preprocessing', events.runProgressed.type],
  ['feature-store', events.runCompleted.type],
  ['prediction', events.featuresStored.type],
  ['results', events.forecastMade.type],
];

export async function killedServices(context: Context): Promise<void> {
  for (const [service, type] of MOMENTS) {
    await trial(context, {
      name: `${service} killed`,
      async fault(scans) {
        await nextOf(context, scans, type, ({ data }) => service !== 'preprocessing' || isWorking(data));
        const replica = context.cluster.of(service);
        await replica.kill();
        await sleep(DOWN_MS);
        await replica.start();
      },
    });
  }
}

/** The first of a run's two tasks is done: the second is under way. */
const isWorking = (data: unknown): boolean => (data as { task_status: string | null }).task_status === 'completed';
