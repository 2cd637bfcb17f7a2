/** What an `s3://` URL says. Pure. Credentials never stand in it: they come from the AWS chain. */
import { EngramError } from '@engram/errors';
import { checkKey } from '../key.ts';

export interface Location {
  readonly bucket: string;
  /** Empty, or a key prefix that ends in `/`. */
  readonly prefix: string;
  /** Origin of a store other than AWS; AWS_ENDPOINT_URL_S3 serves as well. */
  readonly endpoint: string | undefined;
  /** Undefined: AWS_REGION or the profile. */
  readonly region: string | undefined;
  /** `https://host/bucket/key` and not `https://bucket.host/key`. */
  readonly pathStyle: boolean;
}

const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const PARAMETERS = new Set(['endpoint', 'region', 'path-style']);

/** Stores that are not AWS have no regions, yet a signature names one; this is the one they all take. */
const ANY_REGION = 'us-east-1';

/**
 * `s3://bucket[/prefix][?endpoint=https://host:port][&region=eu-central-1][&path-style=true|false]`. Path style is the
 * default where an endpoint is named.
 *
 * @throws CONFIG_INVALID that says which part is wrong, without repeating the URL.
 */
export function parseS3Url(url: string): Location {
  if (!URL.canParse(url)) throw refused('is s3://bucket/prefix?endpoint=https://host:port');
  const { host, pathname, searchParams, username, password } = new URL(url);
  if (username !== '' || password !== '') throw refused('holds no credentials: set them as AWS reads them');
  if (!BUCKET.test(host)) throw refused('names a bucket of 3 to 63 lower-case letters, digits, dots and hyphens');
  for (const name of searchParams.keys()) if (!PARAMETERS.has(name)) throw refused(`knows no parameter ${name}`);
  const endpoint = endpointOf(searchParams.get('endpoint'));
  const region = searchParams.get('region') ?? (endpoint === undefined ? undefined : ANY_REGION);
  return { bucket: host, prefix: prefixOf(pathname), endpoint, region, pathStyle: pathStyleOf(searchParams, endpoint) };
}

function endpointOf(text: string | null): string | undefined {
  if (text === null) return undefined;
  const parsed = URL.canParse(text) ? new URL(text) : undefined;
  if (!parsed || !/^https?:$/.test(parsed.protocol) || parsed.username !== '' || parsed.pathname !== '/') {
    throw refused('has an endpoint such as https://s3.example.org:9000, without path and credentials');
  }
  return parsed.origin;
}

function prefixOf(pathname: string): string {
  const path = pathname.replace(/^\/+|\/+$/g, '');
  return path === '' ? '' : `${checkKey(path)}/`;
}

function pathStyleOf(parameters: URLSearchParams, endpoint: string | undefined): boolean {
  const given = parameters.get('path-style');
  if (given !== null && given !== 'true' && given !== 'false') throw refused('has path-style=true or path-style=false');
  return given === null ? endpoint !== undefined : given === 'true';
}

const refused = (why: string): EngramError =>
  new EngramError('CONFIG_INVALID', `the URL of an S3 store ${why}`, { field: 'ENGRAM_OBJECTS_URL' });
