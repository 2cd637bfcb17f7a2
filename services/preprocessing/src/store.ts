/** The collections of preprocessing; one query a function. */
import { isLaterWithdrawal, type RunStatus } from '@engram/contracts';
import { type Collection, modify, type OrderBy, type Records, type StoredRecord } from '@engram/records';
import type { Change } from './decide.ts';
import type { Retraction, Run } from './run.ts';

export interface RunPage {
  readonly runs: readonly Run[];
  readonly next: string | null;
}

export interface RunStore {
  read(id: string): Promise<Run | undefined>;
  page(options: { readonly status?: RunStatus; readonly limit: number; readonly cursor?: string }): Promise<RunPage>;
  /** Runs of a patient that have not ended. */
  openOfPatient(patientKey: string): Promise<readonly Run[]>;
  /** Read, decide, write; the events leave with the record. @returns the change made, or undefined when none was. */
  change(id: string, decide: (current: Run | undefined) => Change | undefined): Promise<Change | undefined>;
  /** The most urgent, then the oldest run that is due and free. */
  claim(owner: string, leaseMs: number, now: number): Promise<StoredRecord<Run> | undefined>;
  renew(id: string, owner: string, leaseMs: number, now: number): Promise<void>;
  release(id: string, owner: string): Promise<void>;
  /** Runs that wait for a worker. */
  queued(): Promise<number>;
  keepRetraction(retraction: Retraction): Promise<void>;
  retractionsOf(studyIds: readonly string[]): Promise<readonly Retraction[]>;
}

const CLAIMED_BY: OrderBy = [
  ['rank', 'desc'],
  ['requested_at', 'asc'],
];

export function openRunStore(records: Records): RunStore {
  const runs: Collection<Run> = records.collection({
    name: 'preprocessing.runs',
    indexes: ['not_before', 'requested_at', 'status', 'patient_key'],
    // However many runs wait, a claim looks at the first of them only.
    ordered: [{ where: ['open'], orderBy: CLAIMED_BY }],
  });
  const retractions: Collection<Retraction> = records.collection({ name: 'preprocessing.retractions' });

  return {
    read: async (id) => (await runs.get(id))?.value,
    async page({ status, limit, cursor }) {
      const found = await runs.find({
        ...(status ? { where: { status } } : {}),
        orderBy: [['requested_at', 'desc']],
        limit,
        ...(cursor ? { cursor } : {}),
      });
      return { runs: found.records.map((record) => record.value), next: found.next };
    },
    async openOfPatient(patientKey) {
      const found = await runs.find({ where: { patient_key: patientKey, open: true }, limit: 1000 });
      return found.records.map((record) => record.value);
    },
    async change(id, decide) {
      let change: Change | undefined;
      await modify(runs, id, (current) => {
        change = decide(current);
        return change && { value: change.value, options: { events: change.events } };
      });
      return change;
    },
    claim: (owner, leaseMs, now) =>
      runs.claim({
        owner,
        leaseMs,
        now,
        where: { open: true, not_before: { lte: now } },
        orderBy: CLAIMED_BY,
      }),
    renew: (id, owner, leaseMs, now) => runs.renew(id, owner, leaseMs, now),
    release: (id, owner) => runs.release(id, owner),
    queued: () => runs.count({ status: 'created' }),
    async keepRetraction(retraction) {
      await modify(retractions, retraction.study_id, (current) =>
        current && !isLaterWithdrawal(retraction, current) ? undefined : { value: retraction },
      );
    },
    async retractionsOf(studyIds) {
      const found = await Promise.all(studyIds.map((id) => retractions.get(id)));
      return found.flatMap((record) => (record ? [record.value] : []));
    },
  };
}
