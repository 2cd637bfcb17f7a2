/**
 * Takes in what a notification or a poll points at. What happened is read from the FHIR server each time, so a repeated,
 * late or forged notification costs a read and does nothing else. State and events leave in one write.
 */
import { createHash } from 'node:crypto';
import { canonicalJson } from '@engram/contracts';
import { isEngramError } from '@engram/errors';
import { APOE_CODES, EDUCATION_CODES, type FhirClient, isForecast, type ResourceOf, scoreOf } from '@engram/fhir';
import { modify, type StoredRecord } from '@engram/records';
import { type Logger, traceparent, withTraceparent } from '@engram/telemetry';
import type { ImagingStudy, Observation, Patient, Reference, ResourceType } from '@medplum/fhirtypes';
import { applyPlan } from './apply-plan.ts';
import { createCoalescer } from './coalesce.ts';
import { type Decision, decideRetraction, decideStudy, type Rules, type Subject } from './decide.ts';
import type { RetractedWhy, StudyRecord } from './model.ts';
import type { Focus } from './notification.ts';
import { type ObserveDeps, type ObservedStudy, observeStudy } from './observe-study.ts';
import { sayScoreReceived } from './say.ts';
import type { IngestionStore } from './store.ts';
import { fingerprintOf, studyVersionOf } from './study-digest.ts';

export interface ConsumeDeps extends ObserveDeps {
  readonly store: IngestionStore;
  readonly rules: Rules;
  readonly patientKey: (patientId: string) => string;
  /** Reads two wrong codes in circulation as CDR and ADAS-Cog. */
  readonly acceptMisused: boolean;
  readonly logger: Logger;
  readonly now: () => Date;
}

export interface Consumer {
  /** `given`: what a search has just shown of it. */
  take(focus: Focus, given?: ImagingStudy | Observation | Patient): Promise<void>;
  /** Looks again at the studies whose time has come; returns how many. */
  tick(): Promise<number>;
}

/** A study's record as it was when a look at it began. */
type Known = StoredRecord<StudyRecord> | undefined;

/** Looks at a study that other processes keep changing. */
const TRIES = 5;

const RETRACTING: Readonly<Record<string, RetractedWhy>> = {
  'entered-in-error': 'entered-in-error',
  cancelled: 'cancelled',
};

/** Undefined when it is not there, or no longer. */
async function readUnlessGone<K extends ResourceType>(fhir: FhirClient, type: K, id: string) {
  try {
    return await fhir.read(type, id);
  } catch (error) {
    if (isEngramError(error, 'FHIR_GONE')) return undefined;
    throw error;
  }
}

function patientIdOf(subject: Reference | undefined, base: string): string | undefined {
  const reference = subject?.reference?.replace(`${base}/`, '');
  return /^Patient\/([A-Za-z0-9\-.]{1,64})$/.exec(reference ?? '')?.[1];
}

const hasId = <R extends { id?: string }>(resource: R): resource is R & { id: string } => resource.id !== undefined;
const isMerged = ({ link }: Patient): boolean => link?.some(({ type }) => type === 'replaced-by') === true;

export function createConsumer(deps: ConsumeDeps): Consumer {
  const { store, fhir, rules, logger, now } = deps;
  const coalesce = createCoalescer();
  const planning = createCoalescer();
  const plan = (patientKey: string) => planning(patientKey, () => applyPlan({ store, now }, patientKey));

  async function subjectOf(study: ImagingStudy): Promise<Subject | undefined> {
    const patient_id = patientIdOf(study.subject, fhir.base);
    if (patient_id === undefined) return undefined;
    return { patient_id, patient_reference: `Patient/${patient_id}`, patient_key: deps.patientKey(patient_id) };
  }

  /**
   * Writes over what was known before the FHIR server was asked, and over nothing else: of two processes that look at a
   * study at once, the one that looked earlier writes nothing.
   * @throws RECORD_CONFLICT or RECORD_EXISTS when another process has written meanwhile
   */
  async function write(id: string, before: Known, decision: Decision | undefined): Promise<void> {
    if (!decision) return;
    const { value, events } = decision;
    if (before) await store.studies.replace(id, before.revision, value, { events });
    else await store.studies.insert(id, value, { events });
  }

  async function retract(id: string, before: Known, why: RetractedWhy): Promise<void> {
    if (!before) return;
    const { value } = before;
    await write(id, before, decideRetraction(value, why, now(), traceparent() ?? null));
    // Asked of the sessions, not of the study: a stop between its write and theirs left them as they were.
    const sessions = await store.sessionsOf(value.patient_key);
    const isUsed = sessions.some(({ inputs }) => inputs.some(({ study_id }) => study_id === id));
    if (isUsed || value.retracted === null) await plan(value.patient_key);
  }

  /** A study without a UID is kept with its problem, so that a person is asked once. */
  async function observe(study: ImagingStudy & { id: string }): Promise<ObservedStudy> {
    try {
      return await observeStudy(deps, study);
    } catch (error) {
      if (!isEngramError(error, 'STUDY_UID_MISSING')) throw error;
      const none = { series: [], t1: null, pet: null, announced: 0, found: null, unreachable: false };
      const problem = { code: error.code, reason: error.message };
      return {
        ...none,
        study_id: study.id,
        study_uid: '',
        study_version: studyVersionOf([]),
        fingerprint: fingerprintOf(study),
        problem,
      };
    }
  }

  async function takeStudy(id: string, given?: ImagingStudy): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await lookAt(id, given);
      } catch (error) {
        const raced = isEngramError(error, 'RECORD_CONFLICT') || isEngramError(error, 'RECORD_EXISTS');
        if (!raced || attempt === TRIES) throw error;
      }
    }
  }

  async function lookAt(id: string, given?: ImagingStudy): Promise<void> {
    const known = await store.studies.get(id);
    const before = known?.value;
    // What a search has shown serves to see that nothing changed; anything else is read afresh.
    const seen = given && unchanged(before, given);
    if (seen) return finish(seen);
    const study = await readUnlessGone(fhir, 'ImagingStudy', id);
    if (!study || !hasId(study)) return retract(id, known, 'deleted');
    const why = RETRACTING[study.status];
    if (why) return retract(id, known, why);
    const same = unchanged(before, study);
    if (same) return finish(same);
    const subject = await subjectOf(study);
    if (!subject) return logger.warn('a study without a patient is left out', { code: 'STUDY_SUBJECT_MISSING' });
    const patient = await readUnlessGone(fhir, 'Patient', subject.patient_id);
    if (patient && isMerged(patient)) return retract(id, known, 'patient-merged');
    const observed = await observe(study);
    const parent = traceparent() ?? null;
    // Moved to another patient: withdrawn from the one, received for the other.
    const moved =
      before && before.patient_key !== subject.patient_key
        ? decideRetraction(before, 'patient-merged', now(), parent)
        : undefined;
    const decision = decideStudy(moved?.value ?? before, observed, subject, rules, now(), parent);
    await write(
      id,
      known,
      moved && decision ? { ...decision, events: [...moved.events, ...decision.events] } : decision,
    );
    if (before && before.patient_key !== subject.patient_key) await plan(before.patient_key);
    await plan(subject.patient_key);
  }

  /** The record, where the resource says nothing that it does not hold already. */
  function unchanged(before: StudyRecord | undefined, study: ImagingStudy): StudyRecord | undefined {
    if (!before || before.retracted !== null || before.fingerprint !== fingerprintOf(study)) return undefined;
    const isDue = before.due_at !== null && before.due_at <= now().getTime();
    return isDue || before.patient_id !== patientIdOf(study.subject, fhir.base) ? undefined : before;
  }

  /** A stop between a study's write and its session's left the study without one, or in one that rests on what it held before. */
  async function finish(study: StudyRecord): Promise<void> {
    if (study.state !== 'ready') return;
    const session = study.session_id === null ? undefined : (await store.sessions.get(study.session_id))?.value;
    const isPlanned = session
      ? session.inputs.some(
          ({ study_id, study_version }) => study_id === study.study_id && study_version === study.study_version,
        )
      : study.awaiting.length > 0;
    if (!isPlanned) await plan(study.patient_key);
  }

  async function say(reference: string, patient_id: string, said: string): Promise<void> {
    const patient_key = deps.patientKey(patient_id);
    const patient_reference = `Patient/${patient_id}`;
    await modify(store.sources, reference, (current) => {
      if (current?.said === said && current.patient_key === patient_key) return undefined;
      const value = { reference, patient_key, said, version: (current?.version ?? 0) + 1 };
      const saying = { time: now(), traceparent: traceparent() ?? null };
      const events = [sayScoreReceived({ ...value, patient_reference }, saying)];
      // The patient it was moved away from must forget it too.
      if (current && current.patient_key !== patient_key) {
        events.push(
          sayScoreReceived(
            { ...value, patient_key: current.patient_key, patient_reference: current.patient_reference, said: 'moved' },
            saying,
          ),
        );
      }
      return { value: { ...value, patient_reference }, options: { events } };
    });
  }

  async function takeObservation(id: string, given?: Observation): Promise<void> {
    const reference = `Observation/${id}`;
    const known = (await store.sources.get(reference))?.value;
    if (given?.meta?.versionId !== undefined && known?.said === given.meta.versionId) return;
    const observation = await readUnlessGone(fhir, 'Observation', id);
    if (!observation) {
      if (known) await say(reference, known.patient_reference.replace('Patient/', ''), 'deleted');
      return;
    }
    const patientId = patientIdOf(observation.subject, fhir.base);
    if (patientId === undefined || isForecast(observation) || !(known || matters(observation, deps.acceptMisused)))
      return;
    await say(reference, patientId, observation.meta?.versionId ?? digestOf({ ...observation, meta: undefined }));
  }

  async function takePatient(id: string): Promise<void> {
    const reference = `Patient/${id}`;
    const studies = await store.studiesOfPatient(reference);
    const known = (await store.sources.get(reference)) !== undefined;
    if (studies.length === 0 && !known) return;
    const patient = await readUnlessGone(fhir, 'Patient', id);
    const why = !patient ? 'patient-deleted' : isMerged(patient) ? 'patient-merged' : undefined;
    if (why) for (const { study_id } of studies) await retract(study_id, await store.studies.get(study_id), why);
    await say(reference, id, patient ? digestOf([patient.gender, patient.birthDate, why ?? null]) : 'deleted');
  }

  const consumer: Consumer = {
    take({ type, id }, given) {
      return coalesce(`${type}/${id}`, async () => {
        if (type === 'ImagingStudy') await takeStudy(id, ofType('ImagingStudy', given));
        else if (type === 'Observation') await takeObservation(id, ofType('Observation', given));
        else if (type === 'Patient') await takePatient(id);
      });
    },

    async tick() {
      const due = await store.studies.find({ where: { due_at: { lte: now().getTime() } }, limit: 100 });
      for (const { value } of due.records) {
        await withTraceparent(value.traceparent ?? undefined, () =>
          this.take({ type: 'ImagingStudy', id: value.study_id }),
        );
      }
      return due.records.length;
    },
  };
  return consumer;
}

const digestOf = (value: unknown): string =>
  createHash('sha256').update(canonicalJson(value)).digest('hex').slice(0, 16);

const DEMOGRAPHIC = new Set([...EDUCATION_CODES, ...APOE_CODES].map(({ system, code }) => `${system}|${code}`));

/** Whether an Observation carries a score or a demographic that a forecast uses. */
function matters({ code, component }: Observation, acceptMisused: boolean): boolean {
  return [code, ...(component ?? []).map((part) => part.code)].some((concept) => {
    const codings = concept?.coding ?? [];
    return (
      scoreOf(codings, { acceptMisused }) !== undefined || codings.some((c) => DEMOGRAPHIC.has(`${c.system}|${c.code}`))
    );
  });
}

function ofType<K extends 'ImagingStudy' | 'Observation'>(
  type: K,
  resource: ImagingStudy | Observation | Patient | undefined,
) {
  return resource?.resourceType === type ? (resource as ResourceOf<K>) : undefined;
}
