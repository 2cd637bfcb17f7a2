import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';

/** Lower-case hex of a file's bytes, read in a stream. */
export async function fileSha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest('hex');
}
