/** Requests and records of runs for the tests of this service. */
import { type EngramEvent, events, makeEvent } from '@engram/contracts';
import { decideRequested } from './decide.ts';
import type { Requested, Run } from './run.ts';

export const PATIENT = 'abcdefghijklmnopqrstuvwxyz';
export const TIME = new Date('2026-01-15T10:00:00Z');

export function requested(id: string, more: Partial<Requested> = {}, at: Date = TIME): EngramEvent<Requested> {
  return makeEvent(events.runRequested, {
    source: '/engram/ingestion',
    subject: 's-1',
    subjectVersion: 1,
    patientKey: PATIENT,
    time: at,
    data: { ...events.runRequested.example, patient_key: PATIENT, run_id: id, ...more },
  });
}

type Command = (typeof events.runCommanded.example)['command'];

export function commanded(id: string, commandId: string, command: Command): EngramEvent {
  return makeEvent(events.runCommanded, {
    source: '/engram/results',
    subject: id,
    subjectVersion: 1,
    patientKey: PATIENT,
    time: TIME,
    data: { run_id: id, patient_key: PATIENT, command_id: commandId, command },
  });
}

export function retracted(studyId: string, at: Date): EngramEvent {
  return makeEvent(events.studyRetracted, {
    source: '/engram/ingestion',
    subject: studyId,
    subjectVersion: 1,
    patientKey: PATIENT,
    time: at,
    data: {
      patient_key: PATIENT,
      study_id: studyId,
      study_uid: '1.2.840.1',
      session_id: 's-1',
      why: 'entered-in-error',
    },
  });
}

/** A run just recorded. */
export function freshRun(id = 'r-1', more: Partial<Requested> = {}): Run {
  const change = decideRequested(undefined, requested(id, more), TIME);
  if (!change) throw new Error('a first request is always recorded');
  return change.value;
}
