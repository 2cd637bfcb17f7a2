/** What every adapter refuses, in the same words and codes. */
import { EngramError } from '@engram/errors';

export const notFound = (key: string, cause?: unknown): EngramError =>
  new EngramError('OBJECT_NOT_FOUND', `there is no object ${key}`, { file: key, cause });

export const exists = (key: string, cause?: unknown): EngramError =>
  new EngramError('OBJECT_EXISTS', `the object ${key} exists`, { file: key, cause });

export const corrupt = (key: string, cause?: unknown): EngramError =>
  new EngramError('OBJECT_CORRUPT', `the stored bytes of ${key} do not match their sha256`, { file: key, cause });

/** What arrived for a key is not what its sender said it would be. */
export const mismatch = (key: string): EngramError =>
  new EngramError('OBJECT_CORRUPT', `what arrived for ${key} does not match its sha256`, { file: key });

export const outside = (key: string, cause?: unknown): EngramError =>
  new EngramError('REQUEST_INVALID', `the range lies outside the bytes of ${key}`, { field: 'range', cause });
