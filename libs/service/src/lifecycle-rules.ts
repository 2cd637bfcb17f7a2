/** What the object store is to drop or move by itself, by the configuration. Pure. Everything else stays. */
import type { Config } from '@engram/config';
import { RAW_PREFIX, TASKS_PREFIX } from '@engram/contracts';
import type { LifecycleRule } from '@engram/objects';

export function lifecycleRules({ taskResultsDays, rawColdDays }: Config['lifecycle']): readonly LifecycleRule[] {
  const rules: LifecycleRule[] = [];
  if (taskResultsDays > 0) rules.push({ prefix: TASKS_PREFIX, expireAfterDays: taskResultsDays });
  if (rawColdDays > 0) {
    rules.push({ prefix: RAW_PREFIX, colder: { afterDays: rawColdDays, storageClass: 'GLACIER_IR' } });
  }
  return rules;
}
