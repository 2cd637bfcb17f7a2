/**
 * A patient's forecast: from the projections when they are fresh, from the FHIR server and the feature store when they are
 * not. Equal inputs give the forecast that is stored already; other inputs make, store and say a new one.
 */
import { events, type FeatureSetView, type Forecast, makeEvent, type PatientKey } from '@engram/contracts';
import { EngramError, isEngramError } from '@engram/errors';
import type { FhirClient } from '@engram/fhir';
import { inputVector, outcomesOf, type ProgressionModel } from '@engram/models';
import type { Objects } from '@engram/objects';
import { assembleForecast, forecastIdOf, warningsOf } from './assemble.ts';
import { type Decision, decideForecast, type ForecastInputs } from './decide.ts';
import type { ForecastRecord, PatientInputs, PatientRecord } from './projection.ts';
import { readFeatures } from './read-features.ts';
import { readPatient } from './read-patient.ts';
import { sayForecast } from './say.ts';
import type { PredictionStore } from './store.ts';

export interface ForecastingDeps {
  readonly store: PredictionStore;
  readonly objects: Objects;
  readonly fhir: FhirClient;
  readonly model: ProgressionModel;
  readonly patientKeyOf: (patientId: string) => PatientKey;
  /** Contract HTTP of the feature store. */
  readonly readFeatureSets: (patientKey: PatientKey) => Promise<readonly FeatureSetView[]>;
  readonly now: () => Date;
  readonly acceptMisusedCodes: boolean;
  /** Older projections are read again before they are answered from. */
  readonly maxAgeMs: number;
}

export type Outcome =
  | { readonly kind: 'forecast'; readonly forecast: Forecast }
  | Exclude<Decision, { kind: 'supported' }>;

const SOURCE = '/engram/prediction';
/** Readings of a patient whom others keep reading. */
const TRIES = 3;

/** What was read of a patient, and the how manieth reading it was. */
interface Reading {
  readonly inputs: PatientInputs;
  readonly number: number;
}

const numberOf = (record: PatientRecord | undefined): number => record?.readings ?? 0;

/** Reads the patient and the feature sets anew. @throws PATIENT_NOT_FOUND; RECORD_CONFLICT when another has read meanwhile */
async function readInputs(deps: ForecastingDeps, patientId: string, patientKey: PatientKey): Promise<Reading> {
  const { fhir, acceptMisusedCodes, store } = deps;
  const before = numberOf(await store.patient(patientKey));
  const [inputs, sets] = await Promise.all([
    readPatient(fhir, patientId, patientKey, { now: deps.now(), acceptMisusedCodes }),
    deps.readFeatureSets(patientKey),
  ]);
  if (!inputs) {
    throw new EngramError('PATIENT_NOT_FOUND', 'the FHIR server has no such patient', { field: 'patient_id' });
  }
  await Promise.all(sets.map((set) => keepView(deps, set)));
  const reading = { inputs, number: before + 1 };
  await keepInputs(deps, reading);
  return reading;
}

async function keepView({ store, objects }: ForecastingDeps, set: FeatureSetView): Promise<void> {
  const version = set.versions.find((each) => each.version === set.current) ?? set.versions.at(-1);
  if (!version) return;
  await store.keepSession(
    await readFeatures(objects, {
      feature_set_id: set.feature_set_id,
      patient_key: set.patient_key,
      sequence: set.sequence,
      version: version.version,
      digest: version.digest,
      session_id: set.session_id,
      session_date: set.session_date,
      qc_verdict: version.qc_verdict,
      withdrawn: set.current === null,
      awaiting_pet: version.awaiting_pet,
      features_key: version.features_key,
      studies: version.studies,
    }),
  );
}

const keepInputs = ({ store }: ForecastingDeps, { inputs, number }: Reading) =>
  store.changePatient(inputs.patient_key, (current) => {
    refuseOvertaken(current, number - 1);
    const known = current ?? { forecast_id: null, refusal: null, refusals: 0 };
    return { value: { ...known, inputs, readings: number } };
  });

/**
 * Another process may have read the patient after we did, and concluded from that: what we read must not replace it.
 * @throws RECORD_CONFLICT, which passes: the next try reads anew.
 */
function refuseOvertaken(current: PatientRecord | undefined, reading: number): void {
  if (numberOf(current) === reading) return;
  throw new EngramError('RECORD_CONFLICT', 'the patient was read anew meanwhile', { field: 'patient_key' });
}

const readingOf = (record: PatientRecord | undefined): Reading | undefined =>
  record && { inputs: record.inputs, number: numberOf(record) };

/** Projections, or undefined when they are missing or too old to answer from. */
async function freshInputs(deps: ForecastingDeps, patientKey: PatientKey): Promise<Reading | undefined> {
  const known = readingOf(await deps.store.patient(patientKey));
  const age = known ? deps.now().getTime() - Date.parse(known.inputs.read_at) : Number.POSITIVE_INFINITY;
  return age <= deps.maxAgeMs ? known : undefined;
}

export interface ForecastRequest {
  /** Reads everything anew, whatever is known. */
  readonly anew?: boolean;
  readonly traceparent?: string | undefined;
}

/**
 * @returns the forecast, or why there is none
 * @throws PATIENT_NOT_FOUND; UPSTREAM_FAILED when nothing is known and the FHIR server or the feature store does not answer
 */
export async function forecastOf(
  deps: ForecastingDeps,
  patientId: string,
  request: ForecastRequest = {},
): Promise<Outcome> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await conclude(deps, patientId, request);
    } catch (error) {
      if (attempt === TRIES || !isEngramError(error, 'RECORD_CONFLICT')) throw error;
    }
  }
}

async function conclude(
  deps: ForecastingDeps,
  patientId: string,
  { anew = false, traceparent }: ForecastRequest,
): Promise<Outcome> {
  const patientKey = deps.patientKeyOf(patientId);
  const fresh = anew ? undefined : await freshInputs(deps, patientKey);
  let stale = false;
  const reading =
    fresh ??
    (await readInputs(deps, patientId, patientKey).catch(async (error: unknown) => {
      // An unreachable server must not take away an answer that was right a quarter of an hour ago.
      const known = readingOf(await deps.store.patient(patientKey));
      if (anew || !known || !isEngramError(error) || !error.retryable) throw error;
      stale = true;
      return known;
    }));
  const decision = decideForecast(reading.inputs, await deps.store.sessionsOf(patientKey), deps.now());
  if (decision.kind === 'pending' && fresh) return conclude(deps, patientId, { anew: true, traceparent });
  if (decision.kind === 'pending') {
    await unpoint(deps, reading);
    return decision;
  }
  if (decision.kind === 'refused') {
    await sayRefusal(deps, reading, decision, traceparent);
    return decision;
  }
  const record = await madeOrStored(deps, reading, decision.inputs, traceparent);
  const simulated = deps.model.manifest.calibration_source === 'simulated';
  const notRead = 'the FHIR server or the feature store did not answer; what was known last is used';
  const warnings = [
    ...warningsOf(decision.inputs, simulated),
    ...(stale ? [{ code: 'INPUTS_NOT_REFRESHED', message: notRead }] : []),
  ];
  return {
    kind: 'forecast',
    forecast: {
      ...record.forecast,
      inputs: { ...record.forecast.inputs, missing: [...decision.inputs.missing] },
      warnings,
    },
  };
}

/** Stored under an id that inputs and model give: a second making of the same is a reading. */
async function madeOrStored(
  deps: ForecastingDeps,
  reading: Reading,
  inputs: ForecastInputs,
  traceparent: string | undefined,
): Promise<ForecastRecord> {
  const { store, model } = deps;
  const patient = reading.inputs;
  const id = forecastIdOf(patient.patient_key, inputs.digest, model.manifest.model_version);
  const stored = await store.forecast(id);
  if (stored && stored.withdrawn === null) {
    await point(deps, reading, id);
    return { ...stored, forecast: { ...stored.forecast, cached: true } };
  }
  const madeAt = deps.now();
  const prediction = await model.predict(inputVector(inputs.history));
  const outcomes = outcomesOf(prediction, model.manifest.marginal_width_80);
  const forecast = assembleForecast({ patient, inputs, outcomes, manifest: model.manifest, madeAt });
  const record = await store.changeForecast(id, (current) => {
    if (current && current.withdrawn === null) return undefined;
    const value: ForecastRecord = {
      patient_key: patient.patient_key,
      made_at: madeAt.toISOString(),
      forecast,
      withdrawn: null,
      sequence: (current?.sequence ?? 0) + 1,
    };
    return { value, events: [sayForecast(value, madeAt, traceparent)] };
  });
  await point(deps, reading, id);
  if (!record) throw new EngramError('INTERNAL', 'a forecast was neither stored nor found');
  return record;
}

const point = ({ store }: ForecastingDeps, { inputs, number }: Reading, forecastId: string) =>
  store.changePatient(inputs.patient_key, (current) => {
    refuseOvertaken(current, number);
    return current?.forecast_id === forecastId && current.refusal === null
      ? undefined
      : { value: { ...(current ?? { inputs, refusals: 0 }), forecast_id: forecastId, refusal: null } };
  });

/** While the features are being made no forecast is in use: the one before may rest on what was withdrawn. */
const unpoint = ({ store }: ForecastingDeps, { inputs, number }: Reading) =>
  store.changePatient(inputs.patient_key, (current) => {
    refuseOvertaken(current, number);
    return current && current.forecast_id !== null ? { value: { ...current, forecast_id: null } } : undefined;
  });

/** Said once for each new reason. */
const sayRefusal = (
  { store, now }: ForecastingDeps,
  { inputs: patient, number }: Reading,
  { code, reason }: Extract<Decision, { kind: 'refused' }>,
  traceparent: string | undefined,
) =>
  store.changePatient(patient.patient_key, (current) => {
    refuseOvertaken(current, number);
    if (current?.refusal?.code === code && current.refusal.reason === reason) return undefined;
    const refusals = (current?.refusals ?? 0) + 1;
    const event = makeEvent(events.forecastRefused, {
      source: SOURCE,
      subject: patient.patient_key,
      subjectVersion: refusals,
      patientKey: patient.patient_key,
      time: now(),
      traceparent,
      data: {
        patient_key: patient.patient_key,
        patient_id: patient.patient_id,
        patient_reference: patient.patient_reference,
        code,
        reason,
        feature_sets: [],
      },
    });
    return {
      value: { ...(current ?? { inputs: patient }), forecast_id: null, refusal: { code, reason }, refusals },
      events: [event],
    };
  });
