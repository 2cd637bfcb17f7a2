/**
 * What we keep beside the bytes, as the object's own metadata, which S3 stores in the same step: the sha256 of the whole
 * (a multipart ETag is no hash of it) and the id of the put, by which a writer knows its own object again.
 */
import type { GetObjectCommandOutput, HeadObjectCommandOutput } from '@aws-sdk/client-s3';

export interface Facts {
  readonly bytes: number;
  /** Undefined for an object of another writer, whose hash nobody has taken. */
  readonly sha256: string | undefined;
  readonly contentType: string;
  readonly modified: string;
  readonly putId: string | undefined;
  readonly etag: string | undefined;
}

export const metadataOf = (sha256: string, putId: string): Record<string, string> => ({ sha256, 'put-id': putId });

const HEX = /^[0-9a-f]{64}$/;

export function factsOf(output: HeadObjectCommandOutput | GetObjectCommandOutput): Facts {
  const { Metadata = {}, ContentLength = 0, ContentRange, ContentType, LastModified, ETag } = output;
  const sha256 = Metadata['sha256'];
  return {
    // `bytes 2-4/10` of a range, else the length is that of the whole.
    bytes: Number(/\/(\d+)$/.exec(ContentRange ?? '')?.[1] ?? ContentLength),
    sha256: sha256 !== undefined && HEX.test(sha256) ? sha256 : undefined,
    contentType: ContentType ?? 'application/octet-stream',
    modified: (LastModified ?? new Date(0)).toISOString(),
    putId: Metadata['put-id'],
    etag: ETag,
  };
}
