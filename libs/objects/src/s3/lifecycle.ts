/**
 * Rules by which the store itself drops objects or moves them to a colder class. A bucket has one set of rules, which others
 * may have a part in: ours are told by their id, and every other stays as it is.
 */
import { isDeepStrictEqual } from 'node:util';
import {
  type LifecycleRule as BucketRule,
  DeleteBucketLifecycleCommand,
  GetBucketLifecycleConfigurationCommand,
  PutBucketLifecycleConfigurationCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { EngramError } from '@engram/errors';
import type { LifecycleRule } from '../lifecycle.ts';
import { createClient, type Patience } from './client.ts';
import { failureOf } from './failure.ts';
import { parseS3Url } from './location.ts';

/** No key holds a colon: the rules of `a/` and those of `a/b/` in one bucket keep apart. */
const idOf = (prefix: string): string => `engram:${prefix}:`;

/** Parts of an upload whose writer was killed; a store that cleans them by itself drops this from the rule. */
const LEFT_PARTS_DAYS = 2;

export async function ensureS3Lifecycle(
  url: string,
  rules: readonly LifecycleRule[],
  patience: Patience = {},
): Promise<readonly LifecycleRule[]> {
  const location = parseS3Url(url);
  const { bucket, prefix } = location;
  const client = createClient(location, patience);
  try {
    const id = idOf(prefix);
    const before = await rulesOf(client, bucket);
    const others = before.filter((rule) => !rule.ID?.startsWith(id));
    const ours = (all: readonly BucketRule[]) => all.flatMap((rule) => lifecycleRule(rule, id) ?? []);
    if (!same(ours(before), rules)) {
      await putRules(client, bucket, [...others, ...rules.map((rule) => bucketRule(rule, id, prefix))]);
    }
    const after = ours(await rulesOf(client, bucket));
    if (same(after, rules)) return after;
    throw new EngramError('UPSTREAM_FAILED', 'the object store did not keep the lifecycle rules it was given', {
      field: bucket,
    });
  } catch (error) {
    throw failureOf(error, bucket);
  } finally {
    client.destroy();
  }
}

const same = (a: readonly LifecycleRule[], b: readonly LifecycleRule[]): boolean =>
  isDeepStrictEqual(byPrefix(a), byPrefix(b));

const byPrefix = (rules: readonly LifecycleRule[]) => new Map(rules.map((rule) => [rule.prefix, { ...rule }]));

async function rulesOf(client: S3Client, bucket: string): Promise<readonly BucketRule[]> {
  try {
    const { Rules = [] } = await client.send(new GetBucketLifecycleConfigurationCommand({ Bucket: bucket }));
    return Rules;
  } catch (error) {
    if (error instanceof Error && error.name === 'NoSuchLifecycleConfiguration') return [];
    throw error;
  }
}

async function putRules(client: S3Client, bucket: string, rules: BucketRule[]): Promise<void> {
  if (rules.length === 0) {
    await client.send(new DeleteBucketLifecycleCommand({ Bucket: bucket }));
    return;
  }
  const configuration = { Bucket: bucket, LifecycleConfiguration: { Rules: rules } };
  await client.send(new PutBucketLifecycleConfigurationCommand(configuration));
}

/** What S3 calls the rule. Pure. */
export function bucketRule(rule: LifecycleRule, id: string, prefix: string): BucketRule {
  const { expireAfterDays, colder } = rule;
  return {
    ID: `${id}${rule.prefix}`,
    Status: 'Enabled',
    Filter: { Prefix: `${prefix}${rule.prefix}` },
    AbortIncompleteMultipartUpload: { DaysAfterInitiation: LEFT_PARTS_DAYS },
    ...(expireAfterDays === undefined ? {} : { Expiration: { Days: expireAfterDays } }),
    ...(colder === undefined ? {} : { Transitions: [{ Days: colder.afterDays, StorageClass: colder.storageClass }] }),
  };
}

/** The rule in our words; undefined when it is another's. Pure. */
export function lifecycleRule({ ID = '', Expiration, Transitions }: BucketRule, id: string): LifecycleRule | undefined {
  if (!ID.startsWith(id)) return undefined;
  const colder = Transitions?.[0];
  return {
    prefix: ID.slice(id.length),
    ...(Expiration?.Days === undefined ? {} : { expireAfterDays: Expiration.Days }),
    ...(colder?.StorageClass && { colder: { afterDays: colder.Days ?? 0, storageClass: colder.StorageClass } }),
  };
}
