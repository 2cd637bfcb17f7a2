/** All that ingestion does, below its HTTP interface and apart from the clock that says when. */
import type { DicomWeb } from '@engram/dicom';
import { silentLogger } from '@engram/telemetry';
import { createConsumer } from './consume.ts';
import { hear } from './hear.ts';
import type { IngestionDeps } from './ingestion.ts';
import type { Notice } from './notification.ts';
import { findDeleted, poll } from './poll.ts';
import { type IngestionStore, openIngestionStore } from './store.ts';

export const QUIET_MS = 60_000;
export const POLL_MS = 30_000;
export const TICK_MS = 1000;
const LOOK_AGAIN_MS = 30_000;

type Given = Pick<
  IngestionDeps,
  'records' | 'fhir' | 'allow' | 'patientKey' | 'quietMs' | 'pollMs' | 'acceptMisusedCodes' | 'logger' | 'now'
>;

export interface IntakeDeps extends Given {
  readonly dicomWeb: (base: string) => DicomWeb;
}

export interface Intake {
  readonly store: IngestionStore;
  /** Takes in what a notification points at. */
  hear(notice: Notice): Promise<void>;
  /** Takes in what changed since the last look. */
  catchUp(): Promise<void>;
  /** Looks again at the studies whose time has come; returns how many. */
  tick(): Promise<number>;
  findDeleted(): Promise<void>;
}

export function createIntake(deps: IntakeDeps): Intake {
  const { records, fhir, logger = silentLogger, now = () => new Date() } = deps;
  const { quietMs = QUIET_MS, pollMs = POLL_MS } = deps;
  const store = openIngestionStore(records);
  const consumer = createConsumer({
    store,
    fhir,
    allow: deps.allow,
    dicomWeb: deps.dicomWeb,
    rules: { quietMs, lookAgainMs: Math.max(TICK_MS, Math.min(pollMs, LOOK_AGAIN_MS)) },
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
  return {
    store,
    hear: (notice) => hear({ store, consumer, catchUp }, notice),
    catchUp,
    tick: () => consumer.tick(),
    findDeleted: () => findDeleted(pollDeps),
  };
}
