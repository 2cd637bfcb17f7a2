/** The whole service on embedded adapters below one folder, with times short enough for tests. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { openBus, relayOutbox } from '@engram/bus';
import { configFile } from '@engram/contracts';
import { guardedFetch, parseAllowList } from '@engram/http';
import { openObjects } from '@engram/objects';
import { openRecords } from '@engram/records';
import type { RetrieveSeries } from './fetch-input.ts';
import { createPreprocessing } from './preprocessing.ts';
import type { PipelineRunner } from './runner.ts';
import type { WorkTimes } from './work.ts';

/** Resolves once the signal is given, also when it was before. */
export const given = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });

export const QUICK: WorkTimes = { leaseMs: 600, heartbeatMs: 100, idleMs: 30, progressMs: 50 };

export interface Serve {
  readonly folder: string;
  readonly runner: PipelineRunner;
  readonly workers?: number;
  readonly times?: WorkTimes;
  readonly now?: () => Date;
  readonly retrieveSeries?: RetrieveSeries;
}

export async function serveOn({ folder, runner, workers = 1, times = QUICK, now, retrieveSeries }: Serve) {
  mkdirSync(join(folder, 'data'), { recursive: true });
  const records = await openRecords(`sqlite://${join(folder, 'records.db')}?synchronous=normal`);
  const bus = await openBus(`sqlite://${join(folder, 'bus.db')}?synchronous=normal`, { pollMs: 20, leaseMs: 500 });
  const objects = await openObjects(`file://${join(folder, 'objects')}`);
  const allow = parseAllowList([`file://${join(folder, 'data')}`]);
  const relay = new AbortController();
  const relaying = relayOutbox({ records, bus, intervalMs: 20, signal: relay.signal });
  const service = await createPreprocessing({
    config: {
      workers,
      cacheMb: 100,
      token: null,
      tls: null,
      device: 'scalar',
      segmenter: null,
      taskMemoryMb: 1024,
      taskTimeoutS: 60,
      pipelines: configFile.parse({}).pipelines,
    },
    bus,
    records,
    objects,
    allow,
    fetch: guardedFetch({ allow }),
    runner,
    times,
    ...(now ? { now } : {}),
    ...(retrieveSeries ? { retrieveSeries } : {}),
  });
  return {
    service,
    bus,
    records,
    objects,
    async close() {
      await service.stop();
      await service.app.close();
      relay.abort();
      await relaying;
      await bus.close();
      await records.close();
    },
  };
}

export type Served = Awaited<ReturnType<typeof serveOn>>;
