/** A run is known by what it does: equal pipeline, version, inputs, parameters and request give one run. */
import { createHash } from 'node:crypto';
import type { PipelineName } from '../vocabulary.ts';
import { canonicalJson } from './envelope.ts';
import type { RunInput } from './run-requested.v1.ts';

/** Version of each pipeline that can be asked for; grows when its graph or meaning changes. */
export const PIPELINE_VERSIONS: Partial<Record<PipelineName, string>> = { adni: '1.0.0' };

export interface RunFacts {
  readonly pipeline: PipelineName;
  readonly inputs: readonly Pick<RunInput, 'role' | 'study_uid' | 'study_version' | 'series_uid'>[];
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Tells a wanted repetition (reprocessing) from an unwanted one. */
  readonly requestId: string;
}

/** `r-` and 24 hexadecimal digits of the sha256 of the facts. Where the images are fetched from does not count. */
export function runIdOf({ pipeline, inputs, parameters, requestId }: RunFacts): string {
  const facts = {
    pipeline,
    version: PIPELINE_VERSIONS[pipeline] ?? '0',
    inputs: inputs.map(({ role, study_uid, study_version, series_uid }) => ({
      role,
      study_uid,
      study_version,
      series_uid,
    })),
    parameters,
    request: requestId,
  };
  return `r-${createHash('sha256').update(canonicalJson(facts)).digest('hex').slice(0, 24)}`;
}
