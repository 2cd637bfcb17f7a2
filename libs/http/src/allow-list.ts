/**
 * Where this installation may fetch from. An entry is exact: an origin (`https://pacs.example`, `http://10.0.0.5:8042`),
 * optionally with a path it must start with, a folder (`file:///data/images`) or a bucket (`s3://scans/site-a`). What an
 * entry names wins over the refusal of private addresses and plain http: the operator said so.
 */
import { realpath, stat } from 'node:fs/promises';
import { sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EngramError } from '@engram/errors';

export interface AllowList {
  /** `https:` and `http:` origins with the path they must start with. */
  readonly origins: readonly { readonly origin: string; readonly path: string }[];
  readonly folders: readonly string[];
  readonly buckets: readonly { readonly bucket: string; readonly prefix: string }[];
}

function parse(text: string): URL {
  try {
    return new URL(text);
  } catch {
    throw new EngramError('URL_REFUSED', 'not a URL', { field: 'url' });
  }
}

/** @throws CONFIG_INVALID for an entry that is no exact origin, folder or bucket. */
export function parseAllowList(entries: readonly string[]): AllowList {
  const urls = entries.map((entry) => {
    // A bare host is the one shorthand: https on its usual port.
    const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(entry) ? entry : `https://${entry}`;
    const url = URL.canParse(text) ? new URL(text) : undefined;
    const known = url && ['https:', 'http:', 'file:', 's3:'].includes(url.protocol);
    if (!url || !known || entry.includes('*') || url.username || url.password || url.search || url.hash) {
      const message = `allow-list entry ${JSON.stringify(entry)} is not an exact https://, http://, file:// or s3:// address`;
      throw new EngramError('CONFIG_INVALID', message, { field: 'ENGRAM_ALLOW' });
    }
    return url;
  });
  const web = urls.filter(({ protocol }) => protocol === 'https:' || protocol === 'http:');
  return {
    origins: web.map(({ origin, pathname }) => ({ origin, path: pathname.replace(/\/$/, '') })),
    folders: urls.filter(({ protocol }) => protocol === 'file:').map((url) => fileURLToPath(url).replace(/\/$/, '')),
    buckets: urls
      .filter(({ protocol }) => protocol === 's3:')
      .map(({ hostname, pathname }) => ({ bucket: hostname, prefix: pathname.replace(/^\/|\/$/g, '') })),
  };
}

const below = (path: string, folder: string, separator: string): boolean =>
  folder === '' || path === folder || path.startsWith(folder + separator);

/** @throws URL_REFUSED unless an entry names the URL's origin, and its path starts with the entry's. */
export function allowedWebUrl(text: string, { origins }: AllowList): URL {
  const url = parse(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw new EngramError('URL_REFUSED', `${url.protocol} addresses are not fetched`, { field: 'url' });
  }
  if (url.username || url.password) {
    throw new EngramError('URL_REFUSED', 'a URL with a user or password is not fetched', { field: 'url' });
  }
  // Encoded dots and slashes survive URL parsing, and another server might resolve them.
  const path = url.pathname;
  if (/%2e|%2f|%5c/i.test(path)) {
    throw new EngramError('URL_REFUSED', 'a path with encoded dots or slashes is not fetched', { field: 'url' });
  }
  if (!origins.some((entry) => entry.origin === url.origin && below(path, entry.path, '/'))) {
    throw new EngramError('URL_REFUSED', `${url.host} is not on the allow-list for ${url.protocol}//`, {
      field: 'url',
    });
  }
  return url;
}

/**
 * The real path of an allowed file or folder. Links are resolved first, so that none leads out of the allowed folder.
 * @throws URL_REFUSED outside every allowed folder; FILE_NOT_FOUND when it is not there.
 */
export async function allowedPath(text: string, { folders }: AllowList): Promise<string> {
  const url = parse(text);
  if (url.protocol !== 'file:' || url.host !== '' || /%2f|%5c|%00/i.test(url.pathname)) {
    throw new EngramError('URL_REFUSED', 'not a plain file:// address of this machine', { field: 'url' });
  }
  const wanted = fileURLToPath(url);
  const refuse = () => new EngramError('URL_REFUSED', 'the file lies outside the allowed folders', { field: 'url' });
  const allowed: string[] = [];
  for (const folder of folders) allowed.push(await realpath(folder).catch(() => folder));
  // Before the disk is asked: whether a file outside exists is nobody's business.
  if (![...folders, ...allowed].some((folder) => below(wanted, folder, sep))) throw refuse();
  const real = await realpath(wanted).catch(() => undefined);
  if (real === undefined) throw new EngramError('FILE_NOT_FOUND', 'there is no such file or folder', { field: 'url' });
  if (!allowed.some((folder) => below(real, folder, sep))) throw refuse();
  const { isFile, isDirectory } = await stat(real).then((s) => ({ isFile: s.isFile(), isDirectory: s.isDirectory() }));
  if (!isFile && !isDirectory) throw refuse();
  return real;
}

/** @throws URL_REFUSED unless an entry names the bucket and the key starts with the entry's prefix. */
export function allowedBucket(text: string, { buckets }: AllowList): { readonly bucket: string; readonly key: string } {
  const url = parse(text);
  const key = decodeURIComponent(url.pathname.replace(/^\//, ''));
  const found =
    url.protocol === 's3:' &&
    !key.split('/').includes('..') &&
    buckets.some(({ bucket, prefix }) => bucket === url.hostname && below(key, prefix, '/'));
  if (!found) throw new EngramError('URL_REFUSED', 'the bucket is not on the allow-list', { field: 'url' });
  return { bucket: url.hostname, key };
}

/** Whether an address may be fetched at all, by whichever way its scheme asks for. @throws URL_REFUSED, FILE_NOT_FOUND */
export async function checkAllowed(text: string, list: AllowList): Promise<void> {
  const { protocol } = parse(text);
  if (protocol === 'file:') await allowedPath(text, list);
  else if (protocol === 's3:') allowedBucket(text, list);
  else allowedWebUrl(text, list);
}
