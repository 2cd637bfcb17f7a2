/** The object store: immutable objects known by sha256 under keys of `/`-separated names. */
import type { Readable } from 'node:stream';

export interface ObjectInfo {
  readonly key: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly contentType: string;
  readonly modified: string;
}

/** What a list says of an object; `head` says the rest. (S3 lists neither hash nor type.) */
export type ListedObject = Pick<ObjectInfo, 'key' | 'bytes' | 'modified'>;

/** Bytes `start` to `end`, both inclusive; to the last without an end. */
export interface Range {
  readonly start: number;
  readonly end?: number;
}

export interface PutOptions {
  readonly contentType?: string;
  /** Checked against what arrived. @throws OBJECT_CORRUPT on a mismatch, and nothing is stored. */
  readonly sha256?: string;
  /** @throws OBJECT_EXISTS when the key is taken. */
  readonly ifAbsent?: boolean;
}

export type Body = Uint8Array | Readable | { readonly file: string };

export interface Objects {
  /** No reader ever sees a part of an object. */
  put(key: string, body: Body, options?: PutOptions): Promise<ObjectInfo>;
  /** @throws OBJECT_NOT_FOUND; OBJECT_CORRUPT when the stored bytes no longer match their sha256. */
  get(key: string): Promise<Uint8Array>;
  /** The bytes of a range, or the whole. @throws REQUEST_INVALID for a range outside the object. */
  stream(key: string, range?: Range): Promise<Readable>;
  /** Copies an object into a local file. */
  download(key: string, file: string): Promise<ObjectInfo>;
  head(key: string): Promise<ObjectInfo | undefined>;
  /** In byte order of the keys. */
  list(
    prefix: string,
    options?: { readonly limit?: number; readonly cursor?: string },
  ): Promise<{ readonly objects: readonly ListedObject[]; readonly next: string | null }>;
  copy(from: string, to: string): Promise<ObjectInfo>;
  /** Second time does no harm. */
  remove(key: string): Promise<void>;
  /** A URL that reads the object without credentials until it expires. */
  presign(key: string, options: { readonly expiresInSeconds: number }): Promise<string>;
  /** Total bytes below a prefix: the storage figure of the dashboard. */
  usage(prefix: string): Promise<{ readonly objects: number; readonly bytes: number }>;
  close(): Promise<void>;
}
