/** The service as a function of its dependencies, so that one process can hold all five on shared adapters. */

import { join } from 'node:path';
import type { Bus, Subscription } from '@engram/bus';
import type { Config } from '@engram/config';
import type { AllowList, App, Fetch } from '@engram/http';
import type { Objects } from '@engram/objects';
import type { Records } from '@engram/records';
import { atLeisure } from '@engram/service';
import { gauge, type Logger, silentLogger } from '@engram/telemetry';
import { buildApp } from './app.ts';
import { evictTasks } from './evict-tasks.ts';
import { fetchInput, type RetrieveSeries } from './fetch-input.ts';
import { pipelinesRunner } from './pipelines-runner.ts';
import { GROUP, startProcessing } from './processing.ts';
import { retrieveOverDicomWeb } from './retrieve-series.ts';
import type { PipelineRunner } from './runner.ts';
import { openRunStore } from './store.ts';
import { machine } from './surroundings.ts';
import { WORK_TIMES, type Workers, type WorkTimes } from './work.ts';

export interface PreprocessingDeps {
  readonly config: Pick<
    Config,
    'workers' | 'cacheMb' | 'token' | 'tls' | 'device' | 'segmenter' | 'taskMemoryMb' | 'taskTimeoutS' | 'pipelines'
  >;
  readonly bus: Bus;
  /** Its outbox is relayed by the process that opened it (`relayOutbox`), once for all services on it. */
  readonly records: Records;
  readonly objects: Objects;
  /** Where images may come from, and the guarded fetch over the same list. */
  readonly allow: AllowList;
  readonly fetch: Fetch;
  /** Default: libs/pipelines in a child process. */
  readonly runner?: PipelineRunner;
  /** Default: DICOMweb. */
  readonly retrieveSeries?: RetrieveSeries;
  readonly logger?: Logger;
  readonly version?: string;
  readonly times?: WorkTimes;
  readonly now?: () => Date;
}

export interface Preprocessing {
  readonly app: App;
  /** Consumes events and starts the workers. */
  start(): Promise<void>;
  /** Takes no more and hands back what is under way. Second time does no harm. */
  stop(): Promise<void>;
}

const HOUSEKEEPING_MS = 5 * 60_000;
const MB = 1024 * 1024;

export async function createPreprocessing(deps: PreprocessingDeps): Promise<Preprocessing> {
  const { config, bus, records, objects, allow, fetch, now = () => new Date() } = deps;
  const { runner = pipelinesRunner({ config }), retrieveSeries = retrieveOverDicomWeb(fetch) } = deps;
  const { logger = silentLogger, version = '0.1.0', times = WORK_TIMES } = deps;
  const store = openRunStore(records);
  let workers: Workers | undefined;
  let subscription: Subscription | undefined;
  let timer: NodeJS.Timeout | undefined;
  const stopping = new AbortController();

  const app = await buildApp({
    store,
    objects,
    version,
    logger,
    token: config.token ?? undefined,
    tls: config.tls ?? undefined,
    ready: { bus: async () => void (await bus.lag(GROUP)) },
  });

  async function keepHouse(): Promise<void> {
    try {
      await evictTasks(objects, config.cacheMb * MB);
    } catch (error) {
      logger.warn('housekeeping failed; it will be tried again', { err: error });
    }
  }

  /** By the clock, not by the workers: the queue is longest while all of them are busy. */
  async function reportQueue(): Promise<void> {
    try {
      gauge('engram.runs.queued', await store.queued());
    } catch (error) {
      logger.warn('the queue could not be counted; it will be tried again', { err: error });
    }
  }

  return {
    app,
    async start() {
      const processing = startProcessing({
        records,
        objects,
        runner,
        logger,
        times,
        now,
        surroundings: machine,
        workers: config.workers,
        fetchInputs: (run, folder, signal) =>
          Promise.all(
            run.inputs.map((input) =>
              fetchInput(
                { objects, allow, fetch, retrieveSeries },
                run.patient_key,
                input,
                join(folder, input.role),
                signal,
              ),
            ),
          ),
      });
      workers = processing.workers;
      subscription = await bus.subscribe(processing.subscription);
      void atLeisure(keepHouse, HOUSEKEEPING_MS, stopping.signal);
      timer = setInterval(() => void reportQueue(), times.heartbeatMs).unref();
      await reportQueue();
    },
    async stop() {
      stopping.abort();
      clearInterval(timer);
      await subscription?.close();
      await workers?.stop();
    },
  };
}
