/** Every pipeline by name. */
import { EngramError } from '@engram/errors';
import { pipeline as adni } from './adni/pipeline.ts';
import type { AnyPipeline } from './task.ts';

const all: readonly AnyPipeline[] = [adni];

export const pipelines: ReadonlyMap<string, AnyPipeline> = new Map(all.map((pipeline) => [pipeline.name, pipeline]));

/** @throws PIPELINE_UNKNOWN naming those there are. */
export function pipelineNamed(name: string): AnyPipeline {
  const found = pipelines.get(name);
  if (found) return found;
  throw new EngramError(
    'PIPELINE_UNKNOWN',
    `There is no pipeline ${name}; there are ${[...pipelines.keys()].join(', ')}`,
    {
      field: 'pipeline',
    },
  );
}
