/** DICOM RLE (PS3.5 annex G): PackBits segments, one a byte plane, most significant first. */
import { EngramError } from '@engram/errors';

/**
 * @param frame one fragment: a 64-byte header and up to 15 segments.
 * @returns little-endian pixels, samples of a pixel together.
 * @throws DICOM_TRUNCATED, DICOM_INVALID.
 */
export function decodeRle(frame: Uint8Array, pixels: number, bytesPerPixel: number, name: string): Uint8Array {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const segments = frame.length < 64 ? 0 : view.getUint32(0, true);
  if (segments !== bytesPerPixel || segments > 15) {
    throw new EngramError('DICOM_INVALID', `${name}: an RLE frame has ${segments} segments, not ${bytesPerPixel}`, {
      file: name,
    });
  }
  const out = new Uint8Array(pixels * bytesPerPixel);
  for (let segment = 0; segment < segments; segment++) {
    const start = view.getUint32(4 + segment * 4, true);
    const end = segment + 1 < segments ? view.getUint32(8 + segment * 4, true) : frame.length;
    const plane = unpackBits(frame.subarray(start, end), pixels);
    if (plane === undefined) {
      throw new EngramError('DICOM_TRUNCATED', `${name}: an RLE segment ends early`, { file: name });
    }
    const byte = bytesPerPixel - 1 - segment;
    for (let i = 0; i < pixels; i++) out[i * bytesPerPixel + byte] = plane[i];
  }
  return out;
}

function unpackBits(source: Uint8Array, length: number): Uint8Array | undefined {
  const out = new Uint8Array(length);
  let [from, to] = [0, 0];
  while (to < length && from < source.length) {
    const code = source[from++];
    if (code < 128) {
      const run = Math.min(code + 1, length - to, source.length - from);
      out.set(source.subarray(from, from + run), to);
      from += code + 1;
      to += run;
    } else if (code > 128) {
      const run = Math.min(257 - code, length - to);
      out.fill(source[from++], to, to + run);
      to += run;
    }
  }
  return to === length ? out : undefined;
}
