/** Every study that stands has one finished run of what it holds in the end, and one feature set that rests on it. */
import { sessionPrefix } from '@engram/contracts';
import type { ExpectedSession } from '../hospital.ts';
import { contentOf } from '../recorded.ts';
import { type Check, type FeatureSet, featureSetsOf, type Rest, type Run, runsOf } from './state.ts';

/** The runs of a session's final inputs that were not called off. */
export const runsFor = (rest: Rest, { content }: ExpectedSession): readonly Run[] =>
  runsOf(rest).filter(({ inputs, status }) => status !== 'cancelled' && contentOf(inputs) === content);

export const setFor = (rest: Rest, { t1Study }: Pick<ExpectedSession, 't1Study'>): FeatureSet | undefined =>
  featureSetsOf(rest).find(({ versions }) =>
    versions.some(({ studies }) => studies.some(({ study_id }) => study_id === t1Study)),
  );

export const studiesArrive: Check = ({ scenario, records }) => {
  const known = new Map(
    records
      .values<{ study_id: string; state: string; session_id: string | null }>('ingestion.studies')
      .map((study) => [study.study_id, study]),
  );
  return scenario.standing
    .filter((id) => known.get(id)?.state !== 'ready')
    .map((id) => `${id} is ${known.get(id)?.state ?? 'unknown'} to ingestion`);
};

export const runsEndOnce: Check = (rest) => {
  const open = runsOf(rest).filter((run) => run.open);
  return [
    ...open.map(({ run_id, status }) => `run ${run_id} has not ended: ${status}`),
    ...rest.scenario.sessions.flatMap((session) => {
      const runs = runsFor(rest, session);
      const [run] = runs;
      if (!run || runs.length > 1) return [`the session of ${session.t1Study} has ${runs.length} runs`];
      if (run.status === 'completed') return session.isBroken ? [`${run.run_id} read broken images`] : [];
      if (run.error === null) return [`run ${run.run_id} is ${run.status} without a code`];
      const isDue = session.isBroken
        ? run.error.code === 'NIFTI_TRUNCATED' || run.error.retryable
        : run.error.retryable;
      return isDue ? [] : [`run ${run.run_id} failed for ${run.error.code}`];
    }),
  ];
};

export const featuresAreOne: Check = (rest) => [
  ...rest.scenario.sessions.flatMap((session) => checkSession(rest, session)),
  ...featureSetsOf(rest).flatMap((set) => {
    const contents = set.versions.map(({ digest, awaiting_pet }) => `${digest} ${awaiting_pet}`);
    return new Set(contents).size < contents.length ? [`${set.feature_set_id} has two versions of one content`] : [];
  }),
];

function checkSession(rest: Rest, session: ExpectedSession): readonly string[] {
  const [run] = runsFor(rest, session);
  if (run?.status !== 'completed') return [];
  const sets = featureSetsOf(rest).filter(({ versions }) => versions.some(({ run_id }) => run_id === run.run_id));
  const [set] = sets;
  if (!set || sets.length > 1) return [`run ${run.run_id} of ${session.t1Study} has ${sets.length} feature sets`];
  const current = set.versions.find(({ version }) => version === set.current);
  if (current?.run_id !== run.run_id)
    return [`${set.feature_set_id} rests on ${current?.run_id}, not on ${run.run_id}`];
  const view = sessionPrefix(set.patient_key, set.session_date);
  return current.artifacts.flatMap(({ name, sha256 }) => {
    const shown = rest.objects.objects.get(`${view}${name}`)?.info.sha256;
    return shown === sha256
      ? []
      : [`the view of ${set.feature_set_id} shows another ${name} than version ${current.version}`];
  });
}

export const withdrawnIsOut: Check = (rest) =>
  featureSetsOf(rest).flatMap(({ feature_set_id, current, versions }) => {
    const used = versions.find(({ version }) => version === current)?.studies ?? [];
    return used
      .filter(({ study_id }) => rest.scenario.withdrawn.includes(study_id))
      .map(({ study_id }) => `${feature_set_id} still rests on the withdrawn ${study_id}`);
  });
