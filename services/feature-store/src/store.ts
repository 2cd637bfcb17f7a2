/** The collections of the feature store; one query a function. */
import { isLaterWithdrawal, type PatientKey } from '@engram/contracts';
import { type Collection, modify, type Records } from '@engram/records';
import type { Change, FeatureSet, Retraction } from './feature-set.ts';

export interface FeatureStore {
  read(id: string): Promise<FeatureSet | undefined>;
  /** Every feature set of a patient, by session date. */
  ofPatient(patientKey: PatientKey): Promise<readonly FeatureSet[]>;
  page(options: { readonly limit: number; readonly cursor?: string }): Promise<{
    readonly sets: readonly FeatureSet[];
    readonly next: string | null;
  }>;
  /** Read, decide, write; the events leave with the record. */
  change(id: string, decide: (current: FeatureSet | undefined) => Change | undefined): Promise<FeatureSet | undefined>;
  retractions(patientKey: PatientKey): Promise<readonly Retraction[]>;
  /** The latest retraction of a study stays; second time does no harm. */
  keepRetraction(retraction: Retraction): Promise<void>;
  /** Calls `visit` for each feature set, page after page. */
  forEach(visit: (set: FeatureSet) => void): Promise<void>;
}

export function openFeatureStore(records: Records): FeatureStore {
  const sets: Collection<FeatureSet> = records.collection({
    name: 'feature-store.feature-sets',
    unique: [['patient_key', 'session_id']],
    indexes: ['patient_key', 'session_date'],
  });
  const retracted: Collection<Retraction> = records.collection({
    name: 'feature-store.retractions',
    indexes: ['patient_key'],
  });

  const page: FeatureStore['page'] = async ({ limit, cursor }) => {
    const found = await sets.find({ orderBy: [['session_date', 'asc']], limit, ...(cursor ? { cursor } : {}) });
    return { sets: found.records.map((record) => record.value), next: found.next };
  };

  return {
    read: async (id) => (await sets.get(id))?.value,
    async ofPatient(patientKey) {
      const found = await sets.find({
        where: { patient_key: patientKey },
        orderBy: [['session_date', 'asc']],
        limit: 1000,
      });
      return found.records.map((record) => record.value);
    },
    page,
    async change(id, decide) {
      const written = await modify(sets, id, (current) => {
        const change = decide(current);
        return change && { value: change.value, options: { events: change.events } };
      });
      return written?.value;
    },
    async retractions(patientKey) {
      const found = await retracted.find({ where: { patient_key: patientKey }, limit: 1000 });
      return found.records.map((record) => record.value);
    },
    async keepRetraction(retraction) {
      await modify(retracted, `${retraction.patient_key}:${retraction.study_id}`, (current) =>
        current && !isLaterWithdrawal(retraction, current) ? undefined : { value: retraction },
      );
    },
    async forEach(visit) {
      let cursor: string | null | undefined;
      do {
        const found = await page({ limit: 500, ...(cursor ? { cursor } : {}) });
        found.sets.forEach(visit);
        cursor = found.next;
      } while (cursor);
    },
  };
}
