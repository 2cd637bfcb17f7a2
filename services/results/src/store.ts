/** The collections of results; one query a function. */
import type { EngramEvent } from '@engram/contracts';
import { type Collection, modify, type Records } from '@engram/records';
import type { FeatureSetRecord, ForecastRecord, ReviewRecord, RunRecord, StudyRecord, WrittenRecord } from './model.ts';

export interface ResultsStore {
  readonly runs: Collection<RunRecord>;
  readonly studies: Collection<StudyRecord>;
  readonly featureSets: Collection<FeatureSetRecord>;
  readonly forecasts: Collection<ForecastRecord>;
  readonly reviews: Collection<ReviewRecord>;
  readonly written: Collection<WrittenRecord>;
}

export function openStore(records: Records): ResultsStore {
  return {
    runs: records.collection<RunRecord>({
      name: 'results.runs',
      indexes: ['status', 'patient_key', 'session_id', 'created_at', 'updated_at'],
    }),
    studies: records.collection<StudyRecord>({ name: 'results.studies', indexes: ['patient_key', 'session_id'] }),
    featureSets: records.collection<FeatureSetRecord>({
      name: 'results.featureSets',
      indexes: ['patient_key', 'session_id', 'session_date'],
    }),
    forecasts: records.collection<ForecastRecord>({ name: 'results.forecasts', indexes: ['patient_key', 'at'] }),
    reviews: records.collection<ReviewRecord>({ name: 'results.reviews', indexes: ['patient_key', 'at'] }),
    written: records.collection<WrittenRecord>({ name: 'results.written', indexes: ['patient_key', 'because'] }),
  };
}

/** Applies a pure decision to one record; an unchanged record is not written. */
export async function apply<T>(
  collection: Collection<T>,
  id: string,
  decide: (current: T | undefined) => T | undefined,
  events: readonly EngramEvent[] = [],
): Promise<T | undefined> {
  const stored = await modify(collection, id, (current) => {
    const value = decide(current);
    return value === undefined ? undefined : { value, options: { events } };
  });
  return stored?.value;
}

/** Every record of a patient, page after page, in the order of `path`. */
export async function ofPatient<T>(collection: Collection<T>, patientKey: string, path: string): Promise<T[]> {
  const found: T[] = [];
  let cursor: string | undefined;
  do {
    const page = await collection.find({
      where: { patient_key: patientKey },
      orderBy: [[path, 'asc']],
      limit: 1000,
      ...(cursor === undefined ? {} : { cursor }),
    });
    found.push(...page.records.map((record) => record.value));
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
  return found;
}
