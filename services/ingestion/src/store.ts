/** The collections of ingestion; no other service reads them. */
import type { Collection, Records } from '@engram/records';
import type { CursorRecord, HeardRecord, SessionRecord, SourceRecord, StudyRecord } from './model.ts';

export interface IngestionStore {
  readonly studies: Collection<StudyRecord>;
  readonly sessions: Collection<SessionRecord>;
  readonly sources: Collection<SourceRecord>;
  readonly cursors: Collection<CursorRecord>;
  readonly heard: Collection<HeardRecord>;
  studiesOf(patientKey: string): Promise<readonly StudyRecord[]>;
  sessionsOf(patientKey: string): Promise<readonly SessionRecord[]>;
  studiesOfPatient(patientReference: string): Promise<readonly StudyRecord[]>;
}

async function all<T>(collection: Collection<T>, where: Readonly<Record<string, string>>): Promise<readonly T[]> {
  const found: T[] = [];
  for (let cursor: string | undefined; ; ) {
    const page = await collection.find({ where, limit: 1000, ...(cursor === undefined ? {} : { cursor }) });
    found.push(...page.records.map(({ value }) => value));
    if (page.next === null) return found;
    cursor = page.next;
  }
}

export function openIngestionStore(records: Records): IngestionStore {
  const studies = records.collection<StudyRecord>({
    name: 'ingestion.studies',
    indexes: ['patient_key', 'patient_reference', 'due_at', 'state'],
  });
  const sessions = records.collection<SessionRecord>({
    name: 'ingestion.sessions',
    indexes: ['patient_key'],
    unique: [['patient_key', 'session_date']],
  });
  return {
    studies,
    sessions,
    sources: records.collection<SourceRecord>({ name: 'ingestion.sources' }),
    cursors: records.collection<CursorRecord>({ name: 'ingestion.cursors' }),
    heard: records.collection<HeardRecord>({ name: 'ingestion.heard' }),
    studiesOf: (patient_key) => all(studies, { patient_key }),
    sessionsOf: (patient_key) => all(sessions, { patient_key }),
    studiesOfPatient: (patient_reference) => all(studies, { patient_reference }),
  };
}
