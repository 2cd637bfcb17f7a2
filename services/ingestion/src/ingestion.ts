/** Ingestion as a function of its dependencies: composed with the others in one process, or run by itself. */
import { type Bus, relayOutbox } from '@engram/bus';
import { createDicomWeb } from '@engram/dicom';
import { EngramError } from '@engram/errors';
import type { FhirClient } from '@engram/fhir';
import type { AllowList, App, Fetch } from '@engram/http';
import type { Records } from '@engram/records';
import { type Logger, silentLogger, withoutTrace } from '@engram/telemetry';
import { buildApp } from './app.ts';
import { createIntake, POLL_MS, QUIET_MS, TICK_MS } from './intake.ts';
import { pause } from './pause.ts';
import { NOTIFICATIONS } from './routes/notifications.ts';
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

export async function createIngestion(deps: IngestionDeps): Promise<Ingestion> {
  const { records, bus, fhir, fetch, logger = silentLogger, relay = true } = deps;
  const { quietMs = QUIET_MS, pollMs = POLL_MS, reconcileMs = 600_000 } = deps;
  const headersOf = deps.archiveHeaders ?? (() => ({}));
  const intake = createIntake({
    ...deps,
    dicomWeb: (base) => createDicomWeb({ base, fetch, headers: headersOf(base), timeoutMs: 60_000 }),
  });
  const app = await buildApp({
    store: intake.store,
    version: deps.version ?? '0.1.0',
    token: deps.token,
    tls: deps.tls,
    logger,
    secret: deps.notificationSecret,
    hear: intake.hear,
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
    poll: intake.catchUp,
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
        await intake.catchUp();
        await subscribe();
      });
      repeat('looking for deleted studies failed', reconcileMs, intake.findDeleted);
      repeat('a look at waiting studies failed', Math.min(TICK_MS, Math.max(200, quietMs)), intake.tick);
      if (relay) loops.push(withoutTrace(() => relayOutbox({ records, bus, signal: closing.signal, logger })));
    },
    async stop() {
      closing.abort();
      await Promise.all(loops);
      await app.close();
    },
  };
}
