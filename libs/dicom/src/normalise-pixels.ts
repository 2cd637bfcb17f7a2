/**
 * Encapsulated pixels that dcm2niix does not take, rewritten into what it does: a single frame in several fragments
 * becomes one fragment; RLE frames become native pixels; other compressed frames become a file each.
 */
import { EngramError } from '@engram/errors';
import dicomParser from 'dicom-parser';
import { attributesOfDataSet } from './attributes.ts';
import { decodeRle } from './rle.ts';
import { splitFrames } from './split-frames.ts';

const RLE = '1.2.840.10008.1.2.5';
const EXPLICIT_LITTLE_ENDIAN = '1.2.840.10008.1.2.1';
const LARGEST = 2 ** 30;

/**
 * The file as it is, a rewritten copy, or one file a frame.
 * @throws DICOM_UNSUPPORTED where frames cannot be told apart, DICOM_TRUNCATED, FILE_TOO_LARGE.
 */
export function normalisePixels(bytes: Uint8Array, name: string): readonly Uint8Array[] {
  const dataSet = dicomParser.parseDicom(bytes);
  const element = dataSet.elements['x7fe00010'];
  if (element?.encapsulatedPixelData !== true) return [bytes];
  const fragments = element.fragments ?? [];
  const frames = Number.parseInt(dataSet.string('x00280008') ?? '1', 10) || 1;
  const syntax = dataSet.string('x00020010') ?? '';
  if (fragments.length <= 1 && frames === 1) return [bytes];
  const parts = fragments.map(({ position, length }) => bytes.subarray(position, position + length));
  // Encapsulated files are explicit VR: tag, VR, two reserved bytes and the length lie before the first item.
  const head = bytes.subarray(0, element.dataOffset - 12);

  if (syntax === RLE && fragments.length === frames) {
    const pixels = (dataSet.uint16('x00280010') ?? 0) * (dataSet.uint16('x00280011') ?? 0);
    const size = ((dataSet.uint16('x00280100') ?? 0) / 8) * (dataSet.uint16('x00280002') ?? 1);
    if (pixels * size * frames > LARGEST) {
      throw new EngramError('FILE_TOO_LARGE', `${name}: its pixels need more than ${LARGEST} bytes`, { file: name });
    }
    const decoded = parts.map((part) => decodeRle(part, pixels, size, name));
    return [joined(withSyntax(head, EXPLICIT_LITTLE_ENDIAN), elementHeader('OW', pixels * size * frames), ...decoded)];
  }
  if (frames === 1) {
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    return [joined(head, elementHeader('OB', 0xffffffff), item(0), item(length), ...parts, delimiter())];
  }
  const whole = framesOf(parts, fragments, element.basicOffsetTable ?? [], frames);
  if (whole === undefined) {
    throw new EngramError(
      'DICOM_UNSUPPORTED',
      `${name}: ${frames} compressed frames in ${fragments.length} fragments cannot be told apart`,
      { file: name },
    );
  }
  return splitFrames(attributesOfDataSet(dataSet), syntax, whole);
}

/** One fragment a frame, or fragments gathered by the offset table. */
function framesOf(
  parts: readonly Uint8Array[],
  fragments: readonly { readonly offset: number }[],
  offsets: readonly number[],
  frames: number,
): readonly Uint8Array[] | undefined {
  if (parts.length === frames) return parts;
  if (offsets.length !== frames) return undefined;
  return offsets.map((start, index) => {
    const end = offsets[index + 1] ?? Infinity;
    return joined(...parts.filter((_, part) => fragments[part].offset >= start && fragments[part].offset < end));
  });
}

/** A UID of the same length takes the other's place, so no length in the file changes. */
function withSyntax(head: Uint8Array, uid: string): Uint8Array {
  const copy = head.slice();
  const at = Buffer.from(copy.buffer, copy.byteOffset, copy.byteLength).indexOf(RLE, 132, 'latin1');
  copy.set(new TextEncoder().encode(uid), at);
  return copy;
}

function elementHeader(vr: 'OW' | 'OB', length: number): Uint8Array {
  const out = new Uint8Array(12);
  out.set([0xe0, 0x7f, 0x10, 0x00, vr.charCodeAt(0), vr.charCodeAt(1)]);
  new DataView(out.buffer).setUint32(8, length, true);
  return out;
}

function item(length: number): Uint8Array {
  const out = new Uint8Array(8);
  out.set([0xfe, 0xff, 0x00, 0xe0]);
  new DataView(out.buffer).setUint32(4, length, true);
  return out;
}

const delimiter = (): Uint8Array => Uint8Array.of(0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0);

const joined = (...parts: readonly Uint8Array[]): Uint8Array => Buffer.concat(parts);
