/** Nothing acknowledged is lost, and what is said of one subject is said in order. */
import { topicOf } from '@engram/bus';
import { EngramError, type ErrorCode } from '@engram/errors';
import type { Check } from './state.ts';

export const nothingIsLost: Check = ({ records, bus }) => {
  const logged = new Set([...bus.logs.values()].flatMap((log) => log.map(({ id }) => id)));
  const unsaid = records.acknowledged
    .filter(({ id }) => !logged.has(id))
    .map(({ type, subject }) => `${type} of ${subject} was written and never published`);
  const unheard = [...bus.groups].flatMap(([group, types]) => {
    const handled = bus.handled.get(group) ?? new Set();
    return [...bus.logs.values()]
      .flat()
      .filter(({ type, id }) => types.includes(type) && !handled.has(id))
      .map(({ type, subject }) => `${group} never came to the end of ${topicOf(type)} of ${subject}`);
  });
  const pending = records.unpublished();
  return [...unsaid, ...unheard, ...(pending > 0 ? [`${pending} events are left in outboxes`] : [])];
};

/** What only failed for a passing reason may have died; it was handed back since, and none may be left. */
export const deathsHaveCauses: Check = ({ bus }) => [
  ...bus.dead.map(({ group, type, cause }) => `${group} has a dead ${type} after all faults had ceased: ${cause.code}`),
  ...bus.redriven
    .filter(({ cause }) => !new EngramError(cause.code as ErrorCode, cause.message).retryable)
    .map(({ group, type, cause }) => `${group} gave ${type} up for ${cause.code}: ${cause.message}`),
];

/** Repeats apart, versions of a subject rise within a topic: the order of a patient's events is a patient's history. */
export const orderIsKept: Check = ({ bus }) =>
  [...bus.logs.values()].flatMap((log) => {
    const [said, latest] = [new Set<string>(), new Map<string, number>()];
    return log.flatMap(({ id, type, subject, subjectversion }) => {
      if (said.has(id)) return [];
      said.add(id);
      const before = latest.get(subject) ?? 0;
      latest.set(subject, Math.max(before, subjectversion));
      return subjectversion <= before ? [`${type} of ${subject} says version ${subjectversion} after ${before}`] : [];
    });
  });
