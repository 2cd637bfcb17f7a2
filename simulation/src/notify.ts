/** How the FHIR server tells ingestion: in any form, late, out of order, up to fifty times, or never. */
import { LOINC } from '@engram/fhir';
import type { Notice } from '@engram/ingestion';
import type { Faults } from './faults.ts';
import type { FhirState, Stored } from './ports/fhir.ts';
import type { World } from './world.ts';

const SUBSCRIPTION = 'Subscription/simulated';
const MOST_REPEATS = 50;
const MOST_TRIES = 3;
const RETRY_MS = 5_000;

export interface NotifyDeps {
  readonly world: World;
  readonly fhir: FhirState;
  readonly faults: () => Faults;
  /** Calls a process of ingestion, where one is up: whether it took the notification in. */
  readonly tell: (notice: Notice, answered: (taken: boolean) => void) => void;
}

/** The criteria of ingestion's Subscriptions. */
function concerns(resource: Stored): boolean {
  if (resource.resourceType === 'ImagingStudy' || resource.resourceType === 'Patient') return true;
  return (
    resource.resourceType === 'Observation' && resource.code.coding?.some(({ system }) => system === LOINC) === true
  );
}

export function notifyOfWrites({ world, fhir, faults, tell }: NotifyDeps): void {
  const { chance } = world;
  let count = 0;

  function noticeOf({ resourceType: type, id }: Stored, number: number): Notice {
    const focuses = [{ type, id }];
    switch (chance.pick(['resources', 'resources', 'backport', 'search'] as const)) {
      case 'search':
        return { kind: 'search' };
      case 'backport':
        return {
          kind: 'backport',
          subscription: SUBSCRIPTION,
          type: 'event-notification',
          count: number,
          numbers: [number],
          focuses,
        };
      case 'resources':
        return { kind: 'resources', focuses };
    }
  }

  function send(notice: Notice, tries: number): void {
    world.later(chance.between(1, chance.happens(0.1) ? 20_000 : 50), () => {
      tell(notice, (taken) => {
        if (!taken && tries < MOST_TRIES) world.later(RETRY_MS, () => send(notice, tries + 1));
      });
    });
  }

  fhir.onWrite((resource) => {
    if (!concerns(resource)) return;
    count++;
    const { repeated, unheard } = faults();
    if (chance.happens(unheard)) return world.say(`nobody is told of ${resource.resourceType}/${resource.id}`);
    const times = chance.happens(repeated) ? chance.between(2, MOST_REPEATS) : 1;
    const notice = noticeOf(resource, count);
    for (let i = 0; i < times; i++) send(notice, 1);
  });
}
