/** What follows from a change of a feature set or of its studies, whoever made it. */
import type { PatientKey } from '@engram/contracts';
import type { Objects } from '@engram/objects';
import { decideRetracted } from './decide.ts';
import type { FeatureStore } from './store.ts';
import { showCurrent } from './view.ts';

export interface SettleDeps {
  readonly store: FeatureStore;
  readonly objects: Objects;
  readonly now: () => Date;
}

export interface Concerned {
  readonly id: string;
  readonly patientKey: PatientKey;
  readonly traceparent: string | undefined;
}

/**
 * Takes out of use what rests on a withdrawn study, then makes the view show what is in use; again when the set changed
 * meanwhile. Runs and withdrawals are each kept before this begins, so of two that cross the later sees both.
 */
export async function settle({ store, objects, now }: SettleDeps, concerned: Concerned): Promise<void> {
  const { id, patientKey, traceparent } = concerned;
  for (;;) {
    for (const retraction of await store.retractions(patientKey)) {
      await store.change(id, (set) => set && decideRetracted(set, retraction, now(), traceparent));
    }
    const set = await store.read(id);
    if (!set) return;
    await showCurrent(objects, set);
    const after = await store.read(id);
    if (after?.sequence === set.sequence && after.versions.length === set.versions.length) return;
  }
}
