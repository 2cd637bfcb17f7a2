/** What S3 and the way to it answer, as our codes. */
import { S3ServiceException } from '@aws-sdk/client-s3';
import { EngramError, isEngramError } from '@engram/errors';
import { notFound, outside } from '../refusals.ts';
import { coded } from '../temporary-file.ts';

export const statusOf = (error: unknown): number | undefined =>
  error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : '');

export const isAbsent = (error: unknown): boolean => statusOf(error) === 404 && nameOf(error) !== 'NoSuchBucket';

/** 409: another conditional write of the key was under way; neither may have won. */
export const isUndecided = (error: unknown): boolean => nameOf(error) === 'ConditionalRequestConflict';

/** The request may have been carried out although it was not answered so. */
export function mayHaveBeenDone(error: unknown): boolean {
  if (isEngramError(error)) return false;
  const status = statusOf(error);
  return status === undefined || status >= 500 || status === 404 || status === 409 || status === 412;
}

const SKEWED = new Set(['RequestTimeTooSkewed', 'RequestExpired', 'RequestInTheFuture']);

/** Signed at a time that is not the store's; a HEAD is refused without saying why. */
export const mayBeSkewed = (error: unknown): boolean =>
  statusOf(error) === 403 && (SKEWED.has(nameOf(error)) || nameOf(error) === 'Unknown');

const ACCESS = new Set(['InvalidAccessKeyId', 'SignatureDoesNotMatch', 'AccessDenied', 'CredentialsProviderError']);

/**
 * @returns OBJECT_NOT_FOUND, REQUEST_INVALID for a range outside, CONFIG_INVALID for a bucket, region or credentials that
 * will not do, DISK_FULL, else UPSTREAM_FAILED.
 */
export function failureOf(error: unknown, key: string): unknown {
  const local = coded(error);
  if (isEngramError(local)) return local;
  const status = statusOf(error);
  const name = nameOf(error);
  if (name === 'NoSuchBucket') return misconfigured('the bucket does not exist');
  if (error instanceof Error && error.message === 'Region is missing') return misconfigured('no region is set');
  if (SKEWED.has(name)) {
    return new EngramError('UPSTREAM_FAILED', 'the clocks of the object store and of this machine are apart', {
      file: key,
    });
  }
  // Without its cause: what the store says of a wrong signature repeats what was signed.
  if (status === 401 || status === 403 || ACCESS.has(name)) {
    return misconfigured('the object store refuses these credentials, or none are set', 'AWS_ACCESS_KEY_ID');
  }
  if (status === 404) return notFound(key, error);
  if (status === 416) return outside(key, error);
  if (status === 507 || name === 'XMinioStorageFull') {
    return new EngramError('DISK_FULL', 'no space is left in the object store', { cause: error });
  }
  const said = status === undefined ? 'cannot be reached or broke off' : `answered ${status} ${name}`;
  return new EngramError('UPSTREAM_FAILED', `the object store ${said}`, { file: key, cause: error });
}

const misconfigured = (why: string, field = 'ENGRAM_OBJECTS_URL'): EngramError =>
  new EngramError('CONFIG_INVALID', why, { field });
