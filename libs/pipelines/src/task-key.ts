import { digestOf } from './canonical-json.ts';
import type { TaskDefinition } from './task.ts';

export interface KeyParts<P> {
  readonly task: Pick<TaskDefinition<P>, 'name' | 'version' | 'parameterKeys'>;
  readonly parameters: P;
  /** Hash of everything the task reads, by name. */
  readonly inputs: Readonly<Record<string, string>>;
  /** Backends agree within a tolerance, not in every bit, so each has its own results. */
  readonly backend: string;
}

/** Hex sha256 that names a task's result: nothing else may influence the output. */
export function taskKey<P>({ task, parameters, inputs, backend }: KeyParts<P>): string {
  const used = Object.fromEntries(task.parameterKeys.map((name) => [name, parameters[name]]));
  return digestOf({ schema: 1, task: task.name, version: task.version, parameters: used, inputs, backend });
}
