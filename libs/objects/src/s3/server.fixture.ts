/** The S3 server of the tests, where one is given (stack/README.md says how), and stores of their own in its bucket. */
import { exec } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import type { Objects } from '../port.ts';

/** `s3://bucket?endpoint=http://127.0.0.1:PORT`; the credentials as AWS reads them. */
export const S3_URL = process.env['S3_URL'];

/** A shell command that stops that server and starts it again. */
export const S3_RESTART = process.env['S3_RESTART'];

/** The same bucket below a prefix that no other test has, through `endpoint` when one is given. */
export function freshS3Url(endpoint?: string): string {
  const url = new URL(S3_URL ?? '');
  url.pathname = `/test-${randomBytes(8).toString('hex')}`;
  if (endpoint !== undefined) url.searchParams.set('endpoint', endpoint);
  return url.href;
}

export const s3Endpoint = (): string => new URL(S3_URL ?? '').searchParams.get('endpoint') ?? '';

export async function removeAll(objects: Objects): Promise<void> {
  for (;;) {
    const page = await objects.list('');
    await Promise.all(page.objects.map(({ key }) => objects.remove(key)));
    if (page.next === null) return;
  }
}

export const restartS3 = async (): Promise<void> => void (await promisify(exec)(S3_RESTART ?? ''));
