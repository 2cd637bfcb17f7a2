/** STOW-RS (PS3.18 10.5): puts DICOM files into a PACS, as a scanner's gateway would. */
import { randomUUID } from 'node:crypto';
// Not Node's own, which ends the process when a server hangs up while its answer waits (nodejs/undici issue 5360).
import { fetch } from 'undici';

const BYTES_A_REQUEST = 16 << 20;
const STORED = '00081199';
const FAILED = '00081198';

/**
 * @param base DICOMweb base URL, without a slash at its end.
 * @returns how many instances the server says it stored.
 * @throws Error when it refuses a request or an instance.
 */
export async function storeInstances(
  base: string,
  files: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<number> {
  let stored = 0;
  for await (const some of inRequests(files)) stored += await storeSome(base, some);
  return stored;
}

async function* inRequests(files: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array[]> {
  let some: Uint8Array[] = [];
  let bytes = 0;
  for await (const file of files) {
    if (bytes > 0 && bytes + file.length > BYTES_A_REQUEST) {
      yield some;
      [some, bytes] = [[], 0];
    }
    some.push(file);
    bytes += file.length;
  }
  if (some.length > 0) yield some;
}

async function storeSome(base: string, files: readonly Uint8Array[]): Promise<number> {
  const boundary = randomUUID();
  const head = Buffer.from(`\r\n--${boundary}\r\nContent-Type: application/dicom\r\n\r\n`);
  const end = Buffer.from(`\r\n--${boundary}--\r\n`);
  const response = await fetch(`${base}/studies`, {
    method: 'POST',
    headers: {
      'content-type': `multipart/related; type="application/dicom"; boundary=${boundary}`,
      accept: 'application/dicom+json',
    },
    body: Buffer.concat([...files.flatMap((file) => [head, file]), end]),
  });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`STOW-RS answered ${response.status}`);
  const answer = JSON.parse(text) as Record<string, { readonly Value?: readonly unknown[] } | undefined>;
  const refused = answer[FAILED]?.Value?.length ?? 0;
  if (refused > 0) throw new Error(`STOW-RS refused ${refused} instances`);
  return answer[STORED]?.Value?.length ?? 0;
}
