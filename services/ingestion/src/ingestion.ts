/** Ingestion as a function of its dependencies: composed with the others in one process, or run by itself. */
import { type Bus, relayOutbox } from '@engram/bus';
import { createDicomWeb } from '@engram/dicom';
import { EngramError } from '@engram/errors';
import type { FhirClient } from '@engram/fhir';
import type { AllowList, App, Fetch } from '@engram/http';
import type { Records } from '@engram/records';
import { type Logger, silentLogger, withoutTrace } from '@engram/telemetry';
import { buildApp } from './app.ts';
import { type Consumer, createConsumer } from './consume.ts';
import { hear } from './hear.ts';
import { findDeleted, poll } from './poll.ts';
import { NOTIFICATIONS } from './routes/notifications.ts';
import { openIngestionStore } from './store.ts';
import { ensureSubscriptions } from './subscribe.ts';

export interface IngestionDeps {
  readonly records: Records;
  readonly bus: Bus;
  readonly fhir: FhirClient;
  /** Reaches image archives. */
  readonly fetch: Fetch;
  /** Where images may come from. */
  readonly allow: AllowList;
  readonly patientKey: (patientId: string) => string;
  /** Base URL by which the FHIR server reaches this service, known at `start`; null: no Subscription, polling only. */
  readonly publicUrl: () => string | null;
  /** Default 60 s. */
  readonly quietMs?: number;
  /** Default 30 s. */
  readonly pollMs?: number;
  /** How often deletions are looked for. Default 10 min. */
  readonly reconcileMs?: number;
  /** Shared secret of signed notifications. */
  readonly notificationSecret?: string | undefined;
  /** Headers for image archives, by base URL. */
  readonly archiveHeaders?: (base: string) => Readonly<Record<string, string>>;
  readonly acceptMisusedCodes?: boolean;
  readonly token?: string | undefined;
  readonly tls?: { readonly cert: string | Buffer; readonly key: string | Buffer } | undefined;
  readonly version?: string;
  readonly logger?: Logger;
  readonly now?: () => Date;
  /** False when the composition relays the outbox of all services itself. Default true. */
  readonly relay?: boolean;
}

export interface Ingestion {
  readonly app: App;
  /** Subscribes, polls and minds the clocks of waiting studies. Call it once the application listens. */
  start(): Promise<void>;
  /** Ends the work under way, then closes the application. The ports stay open: they belong to the caller. */
  stop(): Promise<void>;
  /** Looks for changes now. */
  poll(): Promise<void>;
}

const TICK_MS = 1000;

export async function createIngestion(deps: IngestionDeps): Promise<Ingestion> {
  const { records, bus, fhir, fetch, logger = silentLogger, now = () => new Date(), relay = true } = deps;
  const { quietMs = 60_000, pollMs = 30_000, reconcileMs = 600_000 } = deps;
  const store = openIngestionStore(records);
  const headersOf = deps.archiveHeaders ?? (() => ({}));
  const consumer: Consumer = createConsumer({
    store,
    fhir,
    allow: deps.allow,
    dicomWeb: (base) => createDicomWeb({ base, fetch, headers: headersOf(base), timeoutMs: 60_000 }),
    rules: { quietMs, lookAgainMs: Math.max(TICK_MS, Math.min(pollMs, 30_000)) },
    patientKey: deps.patientKey,
    acceptMisused: deps.acceptMisusedCodes ?? false,
    logger,
    now,
  });
  const pollDeps = { fhir, store, consumer, now };
  let polling: Promise<void> | undefined;
  /** Whoever asks while a look is under way waits for one that begins after. */
  const catchUp = (): Promise<void> => {
    const next = (polling ?? Promise.resolve()).catch(() => {}).then(() => poll(pollDeps));
    polling = next;
    return next;
  };
  const app = await buildApp({
    store,
    version: deps.version ?? '0.1.0',
    token: deps.token,
    tls: deps.tls,
    logger,
    secret: deps.notificationSecret,
    hear: (notice) => hear({ store, consumer, catchUp }, notice),
  });

  const closing = new AbortController();
  const loops: Promise<void>[] = [];
  /** Repeats until the service stops; a failure is logged and tried again at the next turn. */
  function repeat(what: string, everyMs: number, work: () => Promise<unknown>): void {
    const loop = async (): Promise<void> => {
      while (!closing.signal.aborted) {
        await work().catch((error: unknown) => logger.warn(what, { err: error }));
        await pause(everyMs, closing.signal);
      }
    };
    loops.push(withoutTrace(loop));
  }

  return {
    app,
    poll: catchUp,
    async start() {
      if (closing.signal.aborted) throw new EngramError('BUS_CLOSED', 'ingestion was stopped and cannot start again');
      const subscribe = async (): Promise<void> => {
        const publicUrl = deps.publicUrl();
        if (publicUrl === null) return;
        const endpoint = `${publicUrl.replace(/\/$/, '')}${NOTIFICATIONS}`;
        await ensureSubscriptions({ fhir, endpoint, token: deps.token, secret: deps.notificationSecret });
      };
      await subscribe().catch((error: unknown) =>
        logger.warn('the FHIR server takes no Subscription yet', { err: error }),
      );
      repeat('a poll of the FHIR server failed', pollMs, async () => {
        await catchUp();
        await subscribe();
      });
      repeat('looking for deleted studies failed', reconcileMs, () => findDeleted(pollDeps));
      repeat('a look at waiting studies failed', Math.min(TICK_MS, Math.max(200, quietMs)), () => consumer.tick());
      if (relay) loops.push(withoutTrace(() => relayOutbox({ records, bus, signal: closing.signal, logger })));
    },
    async stop() {
      closing.abort();
      await Promise.all(loops);
      await app.close();
    },
  };
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (signal.aborted) resolve();
  const timer = setTimeout(resolve, ms);
  signal.addEventListener('abort', () => resolve(), { once: true });
  return promise.finally(() => clearTimeout(timer));
}
