/**
 * A compressed multi-frame file as one classic file a frame: dcm2niix decodes one compressed frame a file. Only what
 * places and scales the pixels is carried over.
 */
import type { Attributes } from './attributes.ts';
import { first } from './attributes.ts';
import { instanceOf } from './instance.ts';
import { type Tag, tags } from './tags.ts';

const classes: Readonly<Record<string, string>> = {
  MR: '1.2.840.10008.5.1.4.1.1.4',
  CT: '1.2.840.10008.5.1.4.1.1.2',
  PT: '1.2.840.10008.5.1.4.1.1.128',
};

type Value = string | number | Uint8Array;

/** Explicit VR, little endian; elements in ascending order of their tags. */
function element(tag: Tag, value: Value): Buffer {
  const text = typeof value === 'string' ? value : '';
  const body =
    typeof value === 'number'
      ? Buffer.from(Uint16Array.of(value).buffer)
      : Buffer.from(text + (text.length % 2 ? padding(tag) : ''), 'latin1');
  const head = Buffer.alloc(8);
  head.writeUInt16LE(Number.parseInt(tag.id.slice(0, 4), 16), 0);
  head.writeUInt16LE(Number.parseInt(tag.id.slice(4), 16), 2);
  head.write(tag.vr, 4, 'latin1');
  head.writeUInt16LE(body.length, 6);
  return Buffer.concat([head, body]);
}

const padding = (tag: Tag): string => (tag.vr === 'UI' ? '\0' : ' ');

function fileOf(
  meta: readonly (readonly [Tag, Value])[],
  dataset: readonly (readonly [Tag, Value])[],
  frame: Uint8Array,
): Uint8Array {
  const write = (list: readonly (readonly [Tag, Value])[]) =>
    Buffer.concat(list.map(([tag, value]) => element(tag, value)));
  const metaBytes = write(meta);
  const group = Buffer.from([2, 0, 0, 0, 0x55, 0x4c, 4, 0, 0, 0, 0, 0]);
  group.writeUInt32LE(metaBytes.length, 8);
  const even = frame.length + (frame.length % 2);
  // PixelData of undefined length: an empty offset table, the frame, the end mark.
  const pixels = Buffer.alloc(12 + 8 + 8 + even + 8);
  pixels.set([0xe0, 0x7f, 0x10, 0x00, 0x4f, 0x42, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xfe, 0xff, 0x00, 0xe0, 0, 0, 0, 0]);
  pixels.set([0xfe, 0xff, 0x00, 0xe0], 20);
  pixels.writeUInt32LE(even, 24);
  pixels.set(frame, 28);
  pixels.set([0xfe, 0xff, 0xdd, 0xe0], 28 + even);
  return Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), group, metaBytes, write(dataset), pixels]);
}

/** @param frames one compressed frame each, as many as the file's planes. */
export function splitFrames(
  root: Attributes,
  transferSyntax: string,
  frames: readonly Uint8Array[],
): readonly Uint8Array[] {
  const instance = instanceOf(root);
  const shared = root.items(tags.SharedFunctionalGroupsSequence)[0];
  const perFrame = root.items(tags.PerFrameFunctionalGroupsSequence);
  const number = (tag: Tag, otherwise: number) => first(root.numbers(tag)) ?? otherwise;
  const sopClass = classes[instance.modality] ?? classes['MR'];
  return frames.map((frame, index) => {
    const plane = instance.planes[index];
    const sopUid = `${instance.sopUid.slice(0, 58)}.${index + 1}`;
    const scale =
      perFrame[index]?.items(tags.PixelValueTransformationSequence)[0] ??
      shared?.items(tags.PixelValueTransformationSequence)[0];
    const rescale = (tag: Tag): readonly (readonly [Tag, Value])[] => {
      const value = first(scale?.strings(tag) ?? []) ?? first(root.strings(tag));
      return value === null ? [] : [[tag, value]];
    };
    const decimal = (values: readonly number[]) =>
      values.map((value) => String(Math.fround(value) === value ? value : value.toPrecision(12))).join('\\');
    const bits = number(tags.BitsAllocated, 16);
    return fileOf(
      [
        [tags.MediaStorageSOPClassUID, sopClass],
        [tags.MediaStorageSOPInstanceUID, sopUid],
        [tags.TransferSyntaxUID, transferSyntax],
      ],
      [
        [tags.ImageType, instance.imageType.join('\\')],
        [tags.SOPClassUID, sopClass],
        [tags.SOPInstanceUID, sopUid],
        [tags.StudyDate, instance.studyDate],
        [tags.Modality, instance.modality],
        [tags.SliceThickness, decimal([instance.sliceThickness ?? 1])],
        [tags.EchoTime, decimal([plane?.echoTime ?? instance.echoTime ?? 0])],
        [tags.StudyInstanceUID, instance.studyUid],
        [tags.SeriesInstanceUID, instance.seriesUid],
        [tags.SeriesNumber, String(instance.seriesNumber ?? 1)],
        [tags.InstanceNumber, String(index + 1)],
        [tags.ImagePositionPatient, decimal(plane?.position ?? [])],
        [tags.ImageOrientationPatient, decimal(plane?.orientation ?? [])],
        [tags.SamplesPerPixel, instance.samplesPerPixel],
        [tags.PhotometricInterpretation, first(root.strings(tags.PhotometricInterpretation)) ?? 'MONOCHROME2'],
        [tags.Rows, instance.rows],
        [tags.Columns, instance.columns],
        [tags.PixelSpacing, decimal(instance.pixelSpacing)],
        [tags.BitsAllocated, bits],
        [tags.BitsStored, number(tags.BitsStored, bits)],
        [tags.HighBit, number(tags.HighBit, bits - 1)],
        [tags.PixelRepresentation, number(tags.PixelRepresentation, 0)],
        ...rescale(tags.RescaleIntercept),
        ...rescale(tags.RescaleSlope),
      ],
      frame,
    );
  });
}
