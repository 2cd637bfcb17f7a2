/** What one DICOM instance says about itself, as far as choosing, checking and converting it goes. */
import type { Vec3 } from '@engram/volume';
import { type Attributes, first } from './attributes.ts';
import { type Tag, tags } from './tags.ts';

/** One image plane; a classic instance has one, an enhanced one many. World coordinates are LPS mm, as DICOM's. */
export interface Plane {
  /** Centre of the first pixel; null where the file does not say. */
  readonly position: Vec3 | null;
  /** Direction of a row, then of a column: six cosines. */
  readonly orientation: readonly number[] | null;
  /** ms. */
  readonly echoTime: number | null;
  /** s/mm². */
  readonly bValue: number | null;
}

export interface Code {
  readonly scheme: string;
  readonly value: string;
  readonly meaning: string;
}

export interface Instance {
  /** Base name of the file; empty for DICOMweb metadata. */
  readonly file: string;
  readonly transferSyntax: string;
  readonly studyUid: string;
  readonly seriesUid: string;
  readonly sopUid: string;
  readonly sopClass: string;
  readonly instanceNumber: number | null;
  readonly seriesNumber: number | null;
  /** Of a search for series only. */
  readonly instancesOfSeries: number | null;
  readonly modality: string;
  readonly description: string;
  readonly protocol: string;
  readonly sequenceName: string;
  readonly bodyPart: string;
  readonly imageType: readonly string[];
  readonly scanningSequence: readonly string[];
  readonly sequenceVariant: readonly string[];
  readonly scanOptions: readonly string[];
  readonly acquisitionType: string;
  /** ms, ms, ms, degrees. */
  readonly repetitionTime: number | null;
  readonly echoTime: number | null;
  readonly inversionTime: number | null;
  readonly flipAngle: number | null;
  readonly contrastAgent: string;
  readonly rows: number;
  readonly columns: number;
  readonly frames: number;
  readonly samplesPerPixel: number;
  readonly bitsAllocated: number;
  /** mm between rows, then between columns. */
  readonly pixelSpacing: readonly number[];
  readonly sliceThickness: number | null;
  readonly spacingBetweenSlices: number | null;
  /** Degrees. */
  readonly gantryTilt: number | null;
  /** Siemens: all slices of a volume tiled in one image. */
  readonly mosaic: boolean;
  readonly planes: readonly Plane[];
  /** `YYYYMMDD` and `HHMMSS.FFFFFF`, as written. */
  readonly studyDate: string;
  readonly acquiredDate: string;
  readonly acquiredTime: string;
  readonly radiopharmaceutical: { readonly codes: readonly Code[]; readonly text: string };
  /** Injection, as written; empty where the file does not say. */
  readonly injectionTime: string;
  readonly injectionDateTime: string;
  readonly units: string;
  readonly corrections: readonly string[];
  readonly decayCorrection: string;
  /** ms. */
  readonly frameDuration: number | null;
  readonly frameReferenceTime: number | null;
}

/** An attribute at the root, or in a functional group that all frames share. */
function finder(root: Attributes) {
  const shared = root.items(tags.SharedFunctionalGroupsSequence)[0];
  const perFrame = root.items(tags.PerFrameFunctionalGroupsSequence);
  const group = (frame: Attributes | undefined, sequence: Tag): Attributes | undefined =>
    frame?.items(sequence)[0] ?? shared?.items(sequence)[0];
  return {
    perFrame,
    group,
    numbers: (tag: Tag, sequence: Tag, nested: Tag = tag): readonly number[] => {
      const direct = root.numbers(tag);
      return direct.length > 0 ? direct : (group(perFrame[0], sequence)?.numbers(nested) ?? []);
    },
  };
}

export function instanceOf(root: Attributes, file = '', transferSyntax = ''): Instance {
  const find = finder(root);
  const text = (tag: Tag) => first(root.strings(tag)) ?? '';
  const number = (tag: Tag) => first(root.numbers(tag));
  const imageType = root.strings(tags.ImageType);
  const timing = tags.MRTimingAndRelatedParametersSequence;
  const echoTime = first(find.numbers(tags.EchoTime, tags.MREchoSequence, tags.EffectiveEchoTime));
  const modifier = find.group(find.perFrame[0], tags.MRModifierSequence);
  const inversion = modifier?.strings(tags.InversionRecovery)[0] === 'YES';
  const drug = root.items(tags.RadiopharmaceuticalInformationSequence)[0];
  const dateTime = text(tags.AcquisitionDateTime);
  const agents = root.items(tags.ContrastBolusAgentSequence);
  return {
    file,
    transferSyntax,
    studyUid: text(tags.StudyInstanceUID),
    seriesUid: text(tags.SeriesInstanceUID),
    sopUid: text(tags.SOPInstanceUID),
    sopClass: text(tags.SOPClassUID),
    instanceNumber: number(tags.InstanceNumber),
    seriesNumber: number(tags.SeriesNumber),
    instancesOfSeries: number(tags.NumberOfSeriesRelatedInstances),
    modality: text(tags.Modality),
    description: text(tags.SeriesDescription),
    protocol: text(tags.ProtocolName),
    sequenceName: text(tags.SequenceName) || text(tags.PulseSequenceName),
    bodyPart: text(tags.BodyPartExamined),
    imageType,
    scanningSequence: root.strings(tags.ScanningSequence).concat(enhancedSequence(root, inversion)),
    sequenceVariant: root.strings(tags.SequenceVariant),
    scanOptions: root.strings(tags.ScanOptions),
    acquisitionType: text(tags.MRAcquisitionType),
    repetitionTime: first(find.numbers(tags.RepetitionTime, timing)),
    echoTime,
    inversionTime: number(tags.InversionTime) ?? first(modifier?.numbers(tags.InversionTimes) ?? []),
    flipAngle: first(find.numbers(tags.FlipAngle, timing)),
    contrastAgent: text(tags.ContrastBolusAgent) || (agents.length > 0 ? 'contrast agent' : ''),
    rows: number(tags.Rows) ?? 0,
    columns: number(tags.Columns) ?? 0,
    frames: number(tags.NumberOfFrames) ?? 1,
    samplesPerPixel: number(tags.SamplesPerPixel) ?? 1,
    bitsAllocated: number(tags.BitsAllocated) ?? 0,
    pixelSpacing: find.numbers(tags.PixelSpacing, tags.PixelMeasuresSequence),
    sliceThickness: first(find.numbers(tags.SliceThickness, tags.PixelMeasuresSequence)),
    spacingBetweenSlices: first(find.numbers(tags.SpacingBetweenSlices, tags.PixelMeasuresSequence)),
    gantryTilt: number(tags.GantryDetectorTilt),
    mosaic: imageType.includes('MOSAIC'),
    planes: planesOf(root, find, echoTime),
    studyDate: text(tags.StudyDate),
    acquiredDate: text(tags.AcquisitionDate) || dateTime.slice(0, 8) || text(tags.SeriesDate) || text(tags.StudyDate),
    acquiredTime: text(tags.AcquisitionTime) || dateTime.slice(8, 21) || text(tags.SeriesTime),
    radiopharmaceutical: {
      codes: (drug?.items(tags.RadiopharmaceuticalCodeSequence) ?? []).map((code) => ({
        scheme: first(code.strings(tags.CodingSchemeDesignator)) ?? '',
        value: first(code.strings(tags.CodeValue)) ?? '',
        meaning: first(code.strings(tags.CodeMeaning)) ?? '',
      })),
      text: first(drug?.strings(tags.Radiopharmaceutical) ?? []) ?? text(tags.Radiopharmaceutical),
    },
    injectionTime: first(drug?.strings(tags.RadiopharmaceuticalStartTime) ?? []) ?? '',
    injectionDateTime: first(drug?.strings(tags.RadiopharmaceuticalStartDateTime) ?? []) ?? '',
    units: text(tags.Units),
    corrections: root.strings(tags.CorrectedImage),
    decayCorrection: text(tags.DecayCorrection),
    frameDuration: number(tags.ActualFrameDuration),
    frameReferenceTime: number(tags.FrameReferenceTime),
  };
}

/** Enhanced MR says GRADIENT or SPIN where classic MR says GR or SE. */
function enhancedSequence(root: Attributes, inversion: boolean): readonly string[] {
  const names: Readonly<Record<string, readonly string[]>> = { GRADIENT: ['GR'], SPIN: ['SE'], BOTH: ['GR', 'SE'] };
  const echo = names[first(root.strings(tags.EchoPulseSequence)) ?? ''] ?? [];
  return inversion ? [...echo, 'IR'] : echo;
}

function planesOf(root: Attributes, find: ReturnType<typeof finder>, echoTime: number | null): readonly Plane[] {
  const plane = (
    position: readonly number[],
    orientation: readonly number[],
    echo: number | null,
    b: number | null,
  ) => ({
    position: position.length === 3 ? ([position[0], position[1], position[2]] as const) : null,
    orientation: orientation.length === 6 ? orientation : null,
    echoTime: echo,
    bValue: b,
  });
  const diffusion = (frame: Attributes | undefined) =>
    first(find.group(frame, tags.MRDiffusionSequence)?.numbers(tags.DiffusionBValue) ?? []);
  if (find.perFrame.length === 0) {
    const [position, orientation] = [tags.ImagePositionPatient, tags.ImageOrientationPatient];
    const b = first(root.numbers(tags.DiffusionBValue)) ?? diffusion(undefined);
    return [plane(root.numbers(position), root.numbers(orientation), echoTime, b)];
  }
  return find.perFrame.map((frame) =>
    plane(
      find.group(frame, tags.PlanePositionSequence)?.numbers(tags.ImagePositionPatient) ?? [],
      find.group(frame, tags.PlaneOrientationSequence)?.numbers(tags.ImageOrientationPatient) ?? [],
      first(find.group(frame, tags.MREchoSequence)?.numbers(tags.EffectiveEchoTime) ?? []),
      diffusion(frame),
    ),
  );
}

/** Normal of a plane's rows and columns, in LPS. */
export function normalOf(orientation: readonly number[]): Vec3 {
  const [a, b, c, d, e, f] = orientation;
  return [b * f - c * e, c * d - a * f, a * e - b * d];
}
