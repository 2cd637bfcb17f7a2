/** What MongoDB and the way to it answer, as our codes. The URL and its credentials are in no message. */
import { EngramError, isEngramError } from '@engram/errors';
import mongoose from 'mongoose';

const { MongoError, MongoServerError, MongoParseError } = mongoose.mongo;

/** Numbers of mongodb.com/docs/manual/reference/error-codes. */
const DUPLICATE_KEY = 11000;
const OUT_OF_DISK = 14031;
const ACCESS = new Set([13, 18, 8000]);
const INDEX_CONFLICT = new Set([85, 86]);

export const isDuplicate = (error: unknown): boolean => codeOf(error) === DUPLICATE_KEY;

const codeOf = (error: unknown): unknown => (error instanceof MongoServerError ? error.code : undefined);

/** @returns CONFIG_INVALID for a URL, credentials or indexes that will not do, DISK_FULL, else UPSTREAM_FAILED. */
export function failureOf(error: unknown): unknown {
  if (isEngramError(error) || !(error instanceof Error)) return error;
  const code = codeOf(error);
  if (error instanceof MongoParseError || error.name === 'MongoAPIError')
    return misconfigured('the MongoDB URL will not do');
  if (ACCESS.has(Number(code))) return misconfigured('MongoDB refuses these credentials');
  if (INDEX_CONFLICT.has(Number(code))) {
    return new EngramError('CONFIG_INVALID', 'MongoDB holds another index of this name', { cause: error });
  }
  if (code === OUT_OF_DISK) {
    return new EngramError('DISK_FULL', 'no space is left for the record store', { cause: error });
  }
  if (!(error instanceof MongoError) && !error.name.startsWith('Mongo')) return error;
  const said = code === undefined ? 'cannot be reached or broke off' : `answered with error ${code}`;
  return new EngramError('UPSTREAM_FAILED', `MongoDB ${said}`, { cause: error });
}

const misconfigured = (why: string): EngramError =>
  new EngramError('CONFIG_INVALID', why, { field: 'ENGRAM_RECORDS_URL' });
