/** One schedule, from its seed to its verdict. */
import { chanceOf } from './chance.ts';
import { checkAll, type Rest } from './checks/index.ts';
import { drawFaults, type Faults, NO_FAULTS } from './faults.ts';
import { drawScenario } from './hospital.ts';
import { notifyOfWrites } from './notify.ts';
import { type Ground, POLL_MS, startPlatform } from './platform.ts';
import { BusState } from './ports/bus.ts';
import { FhirState } from './ports/fhir.ts';
import { ObjectsState } from './ports/objects.ts';
import { RecordsState } from './ports/records.ts';
import type { Recorded } from './recorded.ts';
import { START, World } from './world.ts';

export interface Outcome {
  readonly seed: number;
  /** What is wrong; empty when every check holds. */
  readonly failures: readonly string[];
  readonly steps: number;
  readonly virtualSeconds: number;
  /** Of the trace: equal for equal seeds. */
  readonly hash: string;
  readonly trace: readonly string[];
  readonly faults: Faults;
}

export interface SimulateOptions {
  /** Instead of those that the seed draws. */
  readonly faults?: Faults;
  /** Breaks handlers on purpose, to see that a check can fail. */
  readonly spoil?: Ground['spoil'];
  /** A FHIR server that creates twice what was to be created once. */
  readonly ignoresConditions?: boolean;
}

/** After the last fault. */
const REST_MS = 3_600_000;
const MOST_STEPS = 60_000;
const CHECK_EVERY = 20;
/** Everything that polls has looked at least once since the faults ceased. */
const SETTLE_MS = POLL_MS + 10_000;
const LATE_HAPPENINGS_MS = 60_000;

export async function simulate(seed: number, recorded: Recorded, options: SimulateOptions = {}): Promise<Outcome> {
  const world = new World(seed);
  const now = () => world.now;
  const faults = options.faults ?? drawFaults(chanceOf(seed ^ 0x5eed));
  const scenario = drawScenario(world.chance, Math.max(30_000, faults.until));
  const end = START + Math.max(30_000, faults.until) + LATE_HAPPENINGS_MS;
  const inForce = (): Faults =>
    world.now < START + faults.until ? faults : { ...NO_FAULTS, replicas: faults.replicas };
  const rest: Rest = {
    scenario,
    records: new RecordsState(now),
    objects: new ObjectsState(now),
    fhir: new FhirState(now),
    bus: new BusState(world, inForce),
  };
  rest.fhir.ignoresConditions = options.ignoresConditions ?? false;
  const platform = startPlatform({
    ...rest,
    world,
    recorded,
    faults: inForce,
    ...(options.spoil ? { spoil: options.spoil } : {}),
  });
  notifyOfWrites({ world, fhir: rest.fhir, faults: inForce, tell: platform.tell });
  for (const { at, resource } of scenario.happenings) {
    world.later(at, () => {
      const before = rest.fhir.read(resource.resourceType, resource.id);
      world.say(`the hospital writes ${resource.resourceType}/${resource.id}`);
      // The hospital leaves alone what others wrote into its study.
      const extension = before && 'extension' in before && before.extension ? { extension: before.extension } : {};
      rest.fhir.write({ ...resource, ...extension });
    });
  }
  for (let n = 0; n < faults.fhirOutages; n++) {
    world.later(world.chance.between(0, faults.until), () => {
      rest.fhir.downUntil = Math.min(START + faults.until, world.now + world.chance.between(5_000, 120_000));
      world.say('the FHIR server is down');
    });
  }

  const isAtRest = (): boolean => {
    if (world.steps % CHECK_EVERY > 0 || world.now < end + SETTLE_MS) return false;
    if (!rest.bus.isIdle() || rest.records.unpublished() > 0) return false;
    if (rest.records.values<{ open: boolean }>('preprocessing.runs').some(({ open }) => open)) return false;
    if (rest.records.values<{ state: string }>('ingestion.studies').some(({ state }) => state === 'waiting'))
      return false;
    // An operator hands back what had died of the faults.
    return rest.bus.dead.length === 0 || rest.bus.redriven.length > 0 || rest.bus.redrive() === 0;
  };
  const unhandled: string[] = [];
  const onUnhandled = (reason: unknown): void => void unhandled.push(`nobody handles the rejection: ${String(reason)}`);
  process.on('unhandledRejection', onUnhandled);
  const hasRested = await world.run(isAtRest, { until: end + REST_MS, steps: MOST_STEPS });
  process.off('unhandledRejection', onUnhandled);
  world.end();
  const restless = hasRested ? [] : [`it does not come to rest: ${rest.bus.backlog().join('; ')}`];
  const failures = [...unhandled, ...restless, ...checkAll(rest)];
  return {
    seed,
    failures,
    steps: world.steps,
    virtualSeconds: Math.round((world.now - START) / 1000),
    hash: world.hash(),
    trace: world.trace,
    faults,
  };
}
