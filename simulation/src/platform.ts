/**
 * The five services as processes of the simulated world: their real handlers, loops and workers over faulty ports. Each is
 * driven below its HTTP interface, and its loops turn on virtual time; a crashed one is started anew after a while.
 */
import { openRelay, type SubscribeOptions } from '@engram/bus';
import { patientKey } from '@engram/config';
import { EngramError } from '@engram/errors';
import { featureSetsOf, featureStoreSubscription } from '@engram/feature-store';
import { parseAllowList } from '@engram/http';
import { createIntake, type Intake, type Notice } from '@engram/ingestion';
import type { Objects } from '@engram/objects';
import { forecastById, predictionSubscription } from '@engram/prediction';
import { startProcessing, WORK_TIMES } from '@engram/preprocessing';
import { resultsSubscription } from '@engram/results';
import { silentLogger } from '@engram/telemetry';
import type { Faults } from './faults.ts';
import { ARCHIVE } from './hospital.ts';
import { type Invoke, Life } from './life.ts';
import { type BusState, openPublisher } from './ports/bus.ts';
import { FHIR_BASE, type FhirState, openMemoryFhir } from './ports/fhir.ts';
import { type ObjectsState, openMemoryObjects } from './ports/objects.ts';
import { openMemoryRecords, type RecordsState, type RecordsView } from './ports/records.ts';
import type { Recorded } from './recorded.ts';
import { recordedRunner } from './runner.ts';
import type { World } from './world.ts';

export const POLL_MS = 30_000;
const TICK_MS = 5_000;
const QUIET_MS = 4_000;
const RECONCILE_MS = 120_000;
const RELAY_MS = 15_000;
const RELAY_AGAIN_MS = 1_000;
const RESTART_MS = [50, 8_000] as const;
/** Shorter than in production, so that a schedule's tail stays short; the order of things is the same. */
const RETRY_DELAYS_MS = [1_000, 8_000, 30_000];
const TIMES = { ...WORK_TIMES, idleMs: 10_000 };

export const patientKeyOf = (id: string): string => patientKey('simulation', FHIR_BASE, id);
export const featuresUrl = (id: string, version: number): string => `https://engram.simulation.test/${id}/${version}`;

export interface Ground {
  readonly world: World;
  readonly faults: () => Faults;
  readonly records: RecordsState;
  readonly objects: ObjectsState;
  readonly fhir: FhirState;
  readonly bus: BusState;
  readonly recorded: Recorded;
  /** What stands between every service and its records; test-only variants break it on purpose. */
  readonly spoil?: (subscription: SubscribeOptions) => SubscribeOptions;
}

interface Ports {
  readonly records: RecordsView;
  readonly objects: Objects;
  readonly fhir: ReturnType<typeof openMemoryFhir>;
}

type Boot = (life: Life, ports: Ports) => SubscribeOptions | undefined;

export interface Platform {
  /** Calls a process of ingestion. */
  tell(notice: Notice, answered: (taken: boolean) => void): void;
}

const directly: Invoke = async (_what, work) => work();

export function startPlatform(ground: Ground): Platform {
  const { world, bus, recorded } = ground;
  const listeners = new Map<string, { readonly life: Life; readonly intake: Intake }>();
  /** What another service answers over HTTP: one call that may fail, then what that service holds. */
  const others = openMemoryRecords(ground.records, directly);
  const asked = async <T>(life: Life, who: string, answer: () => Promise<T>): Promise<T> => {
    await life.invoke(`peer ${who}`, () => undefined);
    return answer();
  };

  const boots: Readonly<Record<string, Boot>> = {
    ingestion: (life, { records, fhir }) => {
      const intake = createIntake({
        records,
        fhir,
        allow: parseAllowList([ARCHIVE]),
        patientKey: patientKeyOf,
        quietMs: QUIET_MS,
        pollMs: POLL_MS,
        now: life.now,
        dicomWeb: () => {
          throw new EngramError('UPSTREAM_FAILED', 'the simulation has no image archive of this kind');
        },
      });
      repeat(life, POLL_MS, intake.catchUp);
      repeat(life, TICK_MS, intake.tick);
      repeat(life, RECONCILE_MS, intake.findDeleted);
      listeners.set(life.name, { life, intake });
      return undefined;
    },
    preprocessing: (life, { records, objects }) => {
      let folders = 0;
      const { subscription } = startProcessing({
        records,
        objects,
        runner: recordedRunner(life, ground.objects),
        logger: silentLogger,
        times: TIMES,
        now: life.now,
        workers: 1,
        fetchInputs: (run) =>
          Promise.all(
            run.inputs.map(({ role, tracer, study_uid }) =>
              life.invoke(`archive get ${role}`, () => ({ role, path: role, tracer, studyUid: study_uid })),
            ),
          ),
        surroundings: {
          pause: life.pause,
          every: life.every,
          async openFolder() {
            const folder = `/${life.name}/${world.steps}/${++folders}`;
            return { inputs: `${folder}/inputs`, work: `${folder}/work`, async remove() {} };
          },
        },
      });
      return subscription;
    },
    'feature-store': (life, { records, objects }) => featureStoreSubscription({ records, objects, now: life.now }),
    prediction: (life, { records, objects, fhir }) =>
      predictionSubscription({
        records,
        objects,
        fhir,
        model: recorded.model,
        patientKeyOf,
        readFeatureSets: (key) => asked(life, 'feature-store', () => featureSetsOf(others, key)),
        now: life.now,
      }),
    results: (life, { records, objects, fhir }) =>
      resultsSubscription({
        records,
        objects,
        fhir,
        readForecast: (id) => asked(life, 'prediction', () => forecastById(others, id)),
        featuresUrl,
        modelCardText: recorded.modelCardText,
        now: life.now,
      }),
  };

  function start(name: string, boot: Boot): void {
    const life = new Life(name, world, ground.faults, {
      crash: () => {
        bus.release(life);
        world.later(world.chance.between(...RESTART_MS), () => start(name, boot));
      },
      pause: () => bus.release(life),
    });
    world.say(`${name} starts`);
    const records = openMemoryRecords(ground.records, life.invoke);
    const objects = openMemoryObjects(ground.objects, life.invoke);
    const subscription = boot(life, { records, objects, fhir: openMemoryFhir(ground.fhir, life.invoke) });
    relay(life, records, bus);
    if (!subscription) return;
    const timed = { ...subscription, retryDelaysMs: RETRY_DELAYS_MS };
    bus.join(life, ground.spoil ? ground.spoil(timed) : timed);
  }

  for (const [service, boot] of Object.entries(boots)) {
    for (let n = 1; n <= ground.faults().replicas; n++) start(`${service}-${n}`, boot);
  }
  return {
    tell(notice, answered) {
      const awake = [...listeners.values()].filter(({ life }) => life.isAlive);
      if (awake.length === 0) return answered(false);
      const { life, intake } = world.chance.pick(awake);
      life.whenAwake(() => {
        world.say(`${life.name} hears ${notice.kind}`);
        intake.hear(notice).then(
          () => answered(true),
          () => answered(false),
        );
      });
    },
  };
}

/** A loop as the services turn theirs: the next look begins so long after the end of the last; a failure is looked at again. */
function repeat(life: Life, everyMs: number, work: () => Promise<unknown>): void {
  const loop = async (): Promise<void> => {
    for (;;) {
      await work().catch(() => undefined);
      await life.pause(everyMs);
    }
  };
  void loop();
}

/** The outbox relay of one process: at once what it wrote, and from time to time what others left; at first all that waits. */
function relay(life: Life, records: RecordsView, bus: BusState): void {
  const outbox = openRelay({ records, bus: openPublisher(bus, life.invoke) });
  let alarm = new AbortController();
  records.onEvents(() => alarm.abort());
  let idleMs = 0;
  let nextLook = life.world.now;
  const send = async (): Promise<void> => {
    await outbox.sendOwn();
    if (life.world.now < nextLook) return;
    await outbox.sendWaiting(idleMs);
    idleMs = RELAY_MS;
    nextLook = life.world.now + RELAY_MS;
  };
  const loop = async (): Promise<void> => {
    for (;;) {
      alarm = new AbortController();
      try {
        await send();
        if (!outbox.hasOwn) await life.pause(Math.max(1, nextLook - life.world.now), alarm.signal);
      } catch {
        await life.pause(RELAY_AGAIN_MS);
      }
    }
  };
  void loop();
}
