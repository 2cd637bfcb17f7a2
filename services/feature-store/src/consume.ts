/** Events in: parse, decide, apply. Delivery is at least once; every path may be walked twice. */
import { type EngramEvent, events, roiFeatures } from '@engram/contracts';
import { EngramError } from '@engram/errors';
import type { Objects } from '@engram/objects';
import { z } from 'zod';
import { type CompletedRun, decideCompleted, decideRetracted, featureSetId, type StorageMode } from './decide.ts';
import type { FeatureStore } from './store.ts';
import { storeVersion, withdrawView } from './view.ts';

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

const logStart = z.object({ started: z.string() });

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

async function onCompleted({ store, objects, storageMode, now }: ConsumeDeps, event: EngramEvent): Promise<void> {
  const run = parseOf(events.runCompleted.data, event.data, 'run.completed.v1');
  const document = run.artifacts.find((artifact) => artifact.name === 'roi_features.json');
  if (!document) return; // lesion and segmentation pipelines make no feature set
  const features = parseOf(roiFeatures, await json(objects, document.key, document.name), document.name);
  const log = run.artifacts.find((artifact) => artifact.name === 'preprocessing_log.json');
  const started = log ? logStart.safeParse(await json(objects, log.key, log.name)) : undefined;
  const completed: CompletedRun = {
    run,
    features,
    endedAt: event.time,
    startedAt: started?.success ? started.data.started : null,
    traceparent: event.traceparent,
  };
  const id = featureSetId(run.patient_key, run.session_id);
  const before = await store.read(id);
  const retractions = await store.retractions(run.patient_key);
  const decision = decideCompleted(before, completed, retractions, storageMode, now());
  if (decision.kind === 'ignore') return;
  await storeVersion(objects, before, decision.change.value, decision.version, run.artifacts);
  // Another worker may have stored meanwhile: then this version's number is taken, and the bus delivers again.
  await store.change(id, (current) => {
    if (current?.sequence !== before?.sequence) {
      throw new EngramError('RECORD_CONFLICT', 'the feature set changed while its objects were copied');
    }
    return decision.change;
  });
}

async function onRetracted({ store, objects, now }: ConsumeDeps, event: EngramEvent): Promise<void> {
  const retracted = parseOf(events.studyRetracted.data, event.data, 'study.retracted.v1');
  await store.keepRetraction({
    patient_key: retracted.patient_key,
    study_id: retracted.study_id,
    why: retracted.why,
    at: event.time,
  });
  for (const set of await store.ofPatient(retracted.patient_key)) {
    const change = decideRetracted(set, retracted.study_id, now(), event.traceparent);
    if (!change) continue;
    // Objects first: a crash between the two is repaired by the redelivery, which finds the record unchanged.
    await withdrawView(objects, set, change.value);
    await store.change(set.feature_set_id, (current) =>
      current ? decideRetracted(current, retracted.study_id, now(), event.traceparent) : undefined,
    );
  }
}
