/**
 * URLs that read one object without credentials until they expire: HMAC-SHA256 over key and expiry. Pure. What S3's
 * presigned URLs are to the distributed adapter.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { EngramError } from '@engram/errors';

export interface SignedUrlOptions {
  readonly key: string;
  /** Seconds since the epoch. */
  readonly expires: number;
  readonly secret: string;
}

export const signature = ({ key, expires, secret }: SignedUrlOptions): string =>
  createHmac('sha256', secret).update(`GET\n${key}\n${expires}`).digest('hex');

/** `{base}/{key}?expires=…&signature=…`; keys need no escaping beyond `@`, `=` and `+`. */
export function signedUrl(base: string, options: SignedUrlOptions): string {
  const path = options.key.split('/').map(encodeURIComponent).join('/');
  return `${base.replace(/\/$/, '')}/${path}?expires=${options.expires}&signature=${signature(options)}`;
}

/** @throws UNAUTHORISED when the signature is not ours or the URL has expired. */
export function checkSignedUrl(options: SignedUrlOptions, given: string, now: number): void {
  const ours = Buffer.from(signature(options));
  const theirs = Buffer.from(given);
  const genuine = ours.length === theirs.length && timingSafeEqual(ours, theirs);
  if (!genuine) throw new EngramError('UNAUTHORISED', 'the signature of this URL is wrong', { field: 'signature' });
  if (!(options.expires * 1000 > now)) {
    throw new EngramError('UNAUTHORISED', 'this URL has expired', { field: 'expires' });
  }
}
