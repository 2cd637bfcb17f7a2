/** Reads multipart/related (RFC 2046, RFC 2387) as it arrives: one part in memory at a time. */
import { EngramError } from '@engram/errors';

export interface Part {
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
}

export interface MultipartLimits {
  readonly maxPartBytes: number;
  readonly maxTotalBytes: number;
}

const LARGEST_HEAD = 16_384;
const LARGEST_PREAMBLE = 65_536;

/** The boundary of a Content-Type, quoted or not; undefined where it is not multipart. */
export function boundaryOf(contentType: string): string | undefined {
  if (!/^\s*multipart\//i.test(contentType)) return undefined;
  const match = /;\s*boundary\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))/i.exec(contentType);
  const boundary = match?.[1]?.replace(/\\(.)/g, '$1') ?? match?.[2];
  return boundary !== undefined && boundary.length > 0 && boundary.length <= 200 ? boundary : undefined;
}

/**
 * @throws UPSTREAM_FAILED when the stream is malformed or ends before its closing boundary; FILE_TOO_LARGE beyond a limit.
 */
export async function* readMultipart(
  chunks: AsyncIterable<Uint8Array>,
  boundary: string,
  limits: MultipartLimits,
): AsyncGenerator<Part> {
  const delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1');
  // The first boundary may open the stream: then no line break comes before it.
  let rest: Buffer = Buffer.from('\r\n');
  let state: 'preamble' | 'head' | 'body' = 'preamble';
  let headers = new Map<string, string>();
  let body: Buffer[] = [];
  let [partBytes, totalBytes] = [0, 0];

  for await (const chunk of chunks) {
    totalBytes += chunk.length;
    if (totalBytes > limits.maxTotalBytes) throw tooLarge('answer', limits.maxTotalBytes);
    rest = rest.length === 0 ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length) : Buffer.concat([rest, chunk]);
    for (;;) {
      if (state === 'head') {
        const opened = openHead(rest);
        if (opened === 'end') return;
        if (opened === undefined) break;
        headers = opened.headers;
        rest = opened.rest;
        state = 'body';
      }
      const at = rest.indexOf(delimiter);
      const keep = at >= 0 ? at : Math.max(0, rest.length - delimiter.length + 1);
      partBytes += keep;
      if (state === 'body') {
        if (partBytes > limits.maxPartBytes) throw tooLarge('part', limits.maxPartBytes);
        // A copy: the chunk's memory belongs to the socket.
        if (keep > 0) body.push(Buffer.from(rest.subarray(0, keep)));
      } else if (partBytes > LARGEST_PREAMBLE) throw malformed('no boundary');
      if (at < 0) {
        rest = rest.subarray(keep);
        break;
      }
      if (state === 'body') yield { headers, body: Buffer.concat(body) };
      rest = rest.subarray(at + delimiter.length);
      [body, partBytes, state] = [[], 0, 'head'];
    }
  }
  if (state === 'head' && openHead(Buffer.concat([rest, Buffer.from('\r\n')])) === 'end') return;
  throw malformed('it ends before its closing boundary');
}

/** What follows a boundary: `--` for the end, or headers up to an empty line; undefined while they are incomplete. */
function openHead(bytes: Buffer): { readonly headers: Map<string, string>; readonly rest: Buffer } | 'end' | undefined {
  if (bytes.length < 2) return undefined;
  if (bytes.subarray(0, 2).toString('latin1') === '--') return 'end';
  const line = bytes.indexOf('\r\n');
  if (line < 0) {
    if (bytes.length > LARGEST_HEAD) throw malformed('the headers of a part do not end');
    return undefined;
  }
  if (bytes.subarray(0, line).toString('latin1').trim() !== '') throw malformed('text after a boundary');
  // A part without headers has the empty line at once.
  const end = bytes.indexOf('\r\n\r\n', line);
  if (end < 0) {
    if (bytes.length > LARGEST_HEAD) throw malformed('the headers of a part do not end');
    return undefined;
  }
  const headers = new Map<string, string>();
  for (const text of bytes.subarray(line, end).toString('latin1').split('\r\n')) {
    const colon = text.indexOf(':');
    if (colon > 0) headers.set(text.slice(0, colon).trim().toLowerCase(), text.slice(colon + 1).trim());
  }
  return { headers, rest: bytes.subarray(end + 4) };
}

const malformed = (why: string) => new EngramError('UPSTREAM_FAILED', `The multipart answer is broken: ${why}`);
const tooLarge = (what: string, limit: number) =>
  new EngramError('FILE_TOO_LARGE', `The DICOMweb ${what} is larger than ${limit} bytes`);
