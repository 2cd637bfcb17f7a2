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
      indexes: ['patient_key', 'session_id', 'created_at', 'updated_at'],
      ordered: [
        { where: ['status'], orderBy: [['updated_at', 'desc']] },
        { where: ['status'], orderBy: [['created_at', 'desc']] },
      ],
    }),
    studies: records.collection<StudyRecord>({ name: 'results.studies', indexes: ['patient_key', 'session_id'] }),
    featureSets: records.collection<FeatureSetRecord>({
      name: 'results.featureSets',
      indexes: ['patient_key', 'session_id', 'session_date'],
    }),
    forecasts: records.collection<ForecastRecord>({ name: 'results.forecasts', indexes: ['patient_key', 'at'] }),
    reviews: records.collection<ReviewRecord>({ name: 'results.reviews', indexes: ['patient_key', 'at'] }),
    written: records.collection<WrittenRecord>({ name: 'results.written', indexes: ['patient_key', 'size'] }),
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

/** Adds to what a fact has written, each reference once. */
export async function countWritten(
  { written }: Pick<ResultsStore, 'written'>,
  fact: { readonly id: string; readonly patientKey: string | null; readonly at: Date },
  references: readonly string[],
): Promise<void> {
  await apply(written, fact.id, (current) => {
    const all = [...new Set([...(current?.references ?? []), ...references])];
    if (all.length === current?.size) return undefined;
    return { patient_key: fact.patientKey, references: all, size: all.length, at: fact.at.toISOString() };
  });
}

/** How many resources all facts have become. There are few sizes: one search and one count each, not a look at every record. */
export async function writtenResources({ written }: Pick<ResultsStore, 'written'>): Promise<number> {
  let sum = await written.count({ size: null });
  for (let size = 0; ; ) {
    const next = await written.find({ where: { size: { gt: size } }, orderBy: [['size', 'asc']], limit: 1 });
    const [record] = next.records;
    if (!record) return sum;
    size = record.value.size;
    sum += size * (await written.count({ size }));
  }
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
