/**
 * One DICOM file up to its pixels, by dicom-parser behind a guard: it throws strings, plain objects and stack overflows
 * as well as errors, and inflates deflated files without a limit.
 */
import { EngramError, isEngramError } from '@engram/errors';
import dicomParser from 'dicom-parser';
import { type Attributes, attributesOfDataSet } from './attributes.ts';

export interface PixelElement {
  readonly offset: number;
  /** Bytes as the file says; undefined for encapsulated pixels. */
  readonly length: number | undefined;
  /** The element under which they lie; FloatPixelData and DoubleFloatPixelData count. */
  readonly tag: string;
}

export interface Dataset {
  readonly attributes: Attributes;
  readonly transferSyntax: string;
  readonly pixels: PixelElement | undefined;
}

const PIXEL_DATA = 'x7fe00010';
const DEFLATED = '1.2.840.10008.1.2.1.99';

/** DICOM files are wanted with the 128-byte preamble and its mark; what lacks it is no DICOM file to us. */
export function isDicom(bytes: Uint8Array): boolean {
  return bytes.length > 132 && String.fromCharCode(...bytes.subarray(128, 132)) === 'DICM';
}

/**
 * @param name what to call the file in messages.
 * @throws DICOM_INVALID when it is no DICOM file or cannot be parsed, DICOM_TRUNCATED when it ends within its header,
 * DICOM_UNSUPPORTED for deflated files.
 */
export function readDataset(bytes: Uint8Array, name: string): Dataset {
  if (!isDicom(bytes)) throw new EngramError('DICOM_INVALID', `${name} is not a DICOM file`, { file: name });
  try {
    const meta = dicomParser.readPart10Header(bytes, { untilTag: 'x00020100' });
    const transferSyntax = meta.string('x00020010')?.replace(/\0/g, '').trim() ?? '';
    if (transferSyntax === DEFLATED) {
      throw new EngramError('DICOM_UNSUPPORTED', `${name}: deflated DICOM is not handled`, { file: name });
    }
    const dataSet = dicomParser.parseDicom(bytes, { untilTag: PIXEL_DATA });
    const element = dataSet.elements[PIXEL_DATA] ?? dataSet.elements['x7fe00008'] ?? dataSet.elements['x7fe00009'];
    for (const { tag, dataOffset, length } of Object.values(dataSet.elements)) {
      const undefinedOrPixels = length === 0xffffffff || tag.startsWith('x7fe0');
      if (!undefinedOrPixels && dataOffset + length > bytes.length) {
        throw new EngramError('DICOM_TRUNCATED', `${name} ends within its header`, { file: name });
      }
    }
    const undefinedLength = element?.hadUndefinedLength === true || element?.length === 0xffffffff;
    return {
      attributes: attributesOfDataSet(dataSet),
      transferSyntax,
      pixels: element && {
        offset: element.dataOffset,
        length: undefinedLength ? undefined : element.length,
        tag: element.tag,
      },
    };
  } catch (cause) {
    if (isEngramError(cause)) throw cause;
    throw new EngramError('DICOM_INVALID', `${name}: the DICOM header cannot be read (${reasonOf(cause)})`, {
      file: name,
    });
  }
}

/** Never the parser's own words: they may quote the file. */
function reasonOf(thrown: unknown): string {
  if (thrown instanceof RangeError) return 'its sequences are nested too deep, or it ends early';
  const text = thrown instanceof Error ? thrown.message : typeof thrown === 'string' ? thrown : propertyText(thrown);
  if (/read past end|buffer overrun|reached end|eof|not enough|missing/i.test(text)) return 'it ends early';
  return 'it is malformed';
}

function propertyText(thrown: unknown): string {
  return typeof thrown === 'object' && thrown !== null && 'exception' in thrown ? String(thrown.exception) : '';
}
