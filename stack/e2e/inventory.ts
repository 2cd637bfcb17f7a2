/** Every object of a store with the sha256 of its bytes, read anew. */
import { createHash } from 'node:crypto';
import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { openObjects } from '@engram/objects';

export interface Held {
  readonly sha256: string;
  readonly bytes: number;
}

export type Inventory = ReadonlyMap<string, Held>;

const held = (body: Uint8Array): Held => ({
  sha256: createHash('sha256').update(body).digest('hex'),
  bytes: body.length,
});

/** Through the platform's own port. @param url `file://…`. */
export async function embeddedInventory(url: string): Promise<Inventory> {
  const objects = await openObjects(url);
  const found = new Map<string, Held>();
  for (let cursor: string | null = null, more = true; more; more = cursor !== null) {
    const page: Awaited<ReturnType<typeof objects.list>> = await objects.list('', cursor === null ? {} : { cursor });
    for (const { key } of page.objects) found.set(key, held(await objects.get(key)));
    cursor = page.next;
  }
  await objects.close();
  return found;
}

/** Past the platform, as any S3 client sees the bucket. @param url `s3://bucket?endpoint=…`; credentials as AWS reads them. */
export async function s3Inventory(url: string, environment: Readonly<Record<string, string>>): Promise<Inventory> {
  const { host: Bucket, searchParams } = new URL(url);
  const client = new S3Client({
    endpoint: searchParams.get('endpoint') ?? '',
    region: environment['AWS_REGION'] ?? '',
    forcePathStyle: true,
    credentials: {
      accessKeyId: environment['AWS_ACCESS_KEY_ID'] ?? '',
      secretAccessKey: environment['AWS_SECRET_ACCESS_KEY'] ?? '',
    },
  });
  const found = new Map<string, Held>();
  for (let token: string | undefined, more = true; more; more = token !== undefined) {
    const page = await client.send(new ListObjectsV2Command({ Bucket, ContinuationToken: token }));
    for (const { Key = '' } of page.Contents ?? []) {
      const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
      found.set(Key, held((await Body?.transformToByteArray()) ?? new Uint8Array()));
    }
    token = page.NextContinuationToken;
  }
  client.destroy();
  return found;
}
