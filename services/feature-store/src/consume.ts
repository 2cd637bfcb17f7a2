/** Events in: parse, decide, apply. Delivery is at least once; every path may be walked twice. */
import { type EngramEvent, events, roiFeatures } from '@engram/contracts';
import { EngramError } from '@engram/errors';
import type { Objects } from '@engram/objects';
import type { z } from 'zod';
import { type CompletedRun, decideCompleted, featureSetId, type StorageMode } from './decide.ts';
import { settle } from './settle.ts';
import type { FeatureStore } from './store.ts';

export interface ConsumeDeps {
  readonly store: FeatureStore;
  readonly objects: Objects;
  readonly storageMode: StorageMode;
  readonly now: () => Date;
}

export const CONSUMED = [
  events.runCompleted.type,
  events.runFailed.type,
  events.runCancelled.type,
  events.studyRetracted.type,
] as const;

function parseOf<S extends z.ZodType>(schema: S, value: unknown, file: string): z.infer<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue?.path.join('.') ?? '';
  throw new EngramError('EVENT_INVALID', `${file} does not fit its schema at ${field}: ${issue?.message ?? ''}`, {
    file,
    field,
    cause: parsed.error,
  });
}

async function json(objects: Objects, key: string, file: string): Promise<unknown> {
  try {
    return JSON.parse(new TextDecoder().decode(await objects.get(key)));
  } catch (error) {
    if (error instanceof SyntaxError) {
      throw new EngramError('EVENT_INVALID', `${file} is not JSON`, { file, cause: error });
    }
    throw error;
  }
}

/** @throws EVENT_INVALID when the event or its feature document does not fit its schema. */
export async function consume(deps: ConsumeDeps, event: EngramEvent): Promise<void> {
  if (event.type === events.runCompleted.type) await onCompleted(deps, event);
  if (event.type === events.studyRetracted.type) await onRetracted(deps, event);
  // A failed or cancelled run leaves the feature set of its session as it is: missing data is a mask.
}

async function onCompleted(deps: ConsumeDeps, event: EngramEvent): Promise<void> {
  const { store, objects, storageMode, now } = deps;
  const run = parseOf(events.runCompleted.data, event.data, 'run.completed.v1');
  const document = run.artifacts.find((artifact) => artifact.name === 'roi_features.json');
  if (!document) return; // lesion and segmentation pipelines make no feature set
  const features = parseOf(roiFeatures, await json(objects, document.key, document.name), document.name);
  const completed: CompletedRun = {
    run,
    features,
    endedAt: event.time,
    traceparent: event.traceparent,
  };
  const id = featureSetId(run.patient_key, run.session_id);
  const retractions = await store.retractions(run.patient_key);
  await store.change(id, (current) => {
    const decision = decideCompleted(current, completed, retractions, storageMode, now());
    return decision.kind === 'store' ? decision.change : undefined;
  });
  // Also where nothing changed: this may be the second try of one that stopped here.
  await settle(deps, { id, patientKey: run.patient_key, traceparent: event.traceparent });
}

async function onRetracted(deps: ConsumeDeps, event: EngramEvent): Promise<void> {
  const { store } = deps;
  const retracted = parseOf(events.studyRetracted.data, event.data, 'study.retracted.v1');
  await store.keepRetraction({
    patient_key: retracted.patient_key,
    study_id: retracted.study_id,
    why: retracted.why,
    withdrawals: retracted.withdrawals,
    at: event.time,
  });
  for (const { feature_set_id: id, patient_key: patientKey, versions } of await store.ofPatient(
    retracted.patient_key,
  )) {
    const isConcerned = versions.some(({ studies }) => studies.some((one) => one.study_id === retracted.study_id));
    if (isConcerned) await settle(deps, { id, patientKey, traceparent: event.traceparent });
  }
}
