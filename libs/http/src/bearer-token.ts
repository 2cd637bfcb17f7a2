/** Bearer tokens, compared in constant time over their digests, so that neither content nor length shows. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { EngramError } from '@engram/errors';

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** @throws UNAUTHORISED unless the `Authorization` header carries the token. */
export function checkBearer(header: string | undefined, token: string): void {
  const given = /^Bearer +([^\s]+)$/i.exec(header ?? '')?.[1];
  if (given === undefined) throw new EngramError('UNAUTHORISED', 'send the header Authorization: Bearer <token>');
  if (!timingSafeEqual(digest(given), digest(token))) throw new EngramError('UNAUTHORISED', 'the token is wrong');
}
