/** Object keys: names joined by `/`. The grammar rules out traversal, hidden files and anything a file system would alter. */
import { EngramError } from '@engram/errors';

const SEGMENT = /^[A-Za-z0-9_=+@-][A-Za-z0-9._=+@-]*$/;
const MAX_LENGTH = 512;

/** @throws REQUEST_INVALID for an empty name, a leading dot, a backslash, a control character or more than 512 characters. */
export function checkKey(key: string): string {
  const names = key.split('/');
  if (key.length > MAX_LENGTH || !names.every((name) => name.length <= 128 && SEGMENT.test(name))) {
    throw new EngramError('REQUEST_INVALID', 'an object key is made of names of letters, digits and . _ = + @ -', {
      field: 'key',
    });
  }
  return key;
}

/** A prefix is a key, a key with a trailing `/`, the start of a name, or empty for everything. */
export function checkPrefix(prefix: string): string {
  if (prefix !== '') checkKey(prefix.endsWith('/') ? prefix.slice(0, -1) : prefix);
  return prefix;
}
