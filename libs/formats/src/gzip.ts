import { gzipSync } from 'node:zlib';

/**
 * Gzip without a time or an operating system in its header, so that equal bytes give equal files.
 * @param level 1 fast to 9 small. 4 gives a T1 the size that 6 does in half the time (80 MB: 1.7 s against 3.5 s).
 */
export function gzip(bytes: Uint8Array, level = 4): Uint8Array {
  const out = gzipSync(bytes, { level });
  out.fill(0, 4, 8);
  out[9] = 255;
  return out;
}
