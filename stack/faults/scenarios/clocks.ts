/** Wall clocks that jump in the middle of the work, apart from each other, and one that a week has gone by on. */
import { setTimeout as sleep } from 'node:timers/promises';
import { events } from '@engram/contracts';
import { type Context, nextOf, SCANS, trial, untilDone } from '../context.ts';
import { notify } from './notifications.ts';

const HOUR_MS = 3_600_000;
const WEEK_MS = 7 * 24 * HOUR_MS;
const APART_MS = 5000;

export async function jumpingClocks(context: Context): Promise<void> {
  await trial(context, {
    name: 'clocks jump an hour',
    count: 2 * SCANS,
    async fault(scans) {
      await nextOf(context, scans, events.runProgressed.type);
      await context.clocks.jump(HOUR_MS, ['preprocessing', 'prediction']);
      await context.clocks.jump(-HOUR_MS, ['results', 'feature-store']);
      await sleep(APART_MS);
      await context.clocks.jump(0);
    },
  });
}

/** Each notification once more, by clocks that say a week later: as long as some servers go on trying. */
export async function notificationsAfterAWeek(context: Context): Promise<void> {
  await trial(context, {
    name: 'each notification again after a week',
    async fault(scans) {
      await untilDone(context, scans);
      await context.clocks.jump(WEEK_MS);
      for (const scan of scans) await notify(context, scan);
      await sleep(APART_MS);
      await context.clocks.jump(0);
    },
  });
}
