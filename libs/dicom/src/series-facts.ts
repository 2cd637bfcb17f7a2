/**
 * What is known of a series when one has to be chosen: from DICOM files, from DICOMweb metadata, or from a FHIR
 * ImagingStudy alone, which says little. null and empty mean unknown.
 */
import { attributesOfJson } from './attributes.ts';
import { type Code, type Instance, instanceOf, normalOf } from './instance.ts';
import type { DicomSeries } from './read-headers.ts';

export interface SeriesFacts {
  readonly series_uid: string;
  readonly series_number: number | null;
  readonly modality: string;
  readonly description: string;
  readonly protocol: string;
  readonly sequence_name: string;
  readonly body_part: string;
  readonly image_type: readonly string[];
  readonly scanning_sequence: readonly string[];
  readonly sequence_variant: readonly string[];
  readonly scan_options: readonly string[];
  /** `2D`, `3D` or empty. */
  readonly acquisition_type: string;
  readonly repetition_time_ms: number | null;
  readonly echo_time_ms: number | null;
  readonly inversion_time_ms: number | null;
  readonly flip_angle_deg: number | null;
  readonly b_value: number | null;
  readonly contrast_agent: string;
  /** Images: slices times frames. */
  readonly images: number | null;
  readonly slices: number | null;
  readonly frames: number | null;
  /** mm: between rows, between columns, between slices. */
  readonly spacing_mm: readonly [number, number, number] | null;
  readonly slice_thickness_mm: number | null;
  /** As written: `YYYY-MM-DD` or with `THH:MM:SS`; empty where unknown. Compared as text within one study. */
  readonly acquired: string;
  readonly radiopharmaceutical: { readonly codes: readonly Code[]; readonly text: string };
  readonly units: string;
  readonly corrections: readonly string[];
}

/** Facts of a series from its instances' headers. */
export function factsOfSeries(series: DicomSeries): SeriesFacts {
  return factsOfInstances(series.files.map(({ instance }) => instance));
}

/** Facts of every series in DICOMweb's `…/metadata`, or in what a search for series or instances found (DICOM JSON model). */
export function factsOfMetadata(instances: readonly unknown[]): readonly SeriesFacts[] {
  const bySeries = new Map<string, Instance[]>();
  for (const json of instances) {
    const instance = instanceOf(attributesOfJson(json));
    if (instance.seriesUid === '') continue;
    const list = bySeries.get(instance.seriesUid);
    if (list === undefined) bySeries.set(instance.seriesUid, [instance]);
    else list.push(instance);
  }
  return [...bySeries.values()].map(factsOfInstances);
}

/** The part of FHIR's `ImagingStudy.series` that is read. */
export interface ImagingStudySeries {
  readonly uid: string;
  readonly number?: number;
  readonly modality: { readonly code?: string };
  readonly description?: string;
  readonly numberOfInstances?: number;
  readonly started?: string;
  readonly bodySite?: { readonly display?: string };
}

export function factsOfImagingStudy(series: readonly ImagingStudySeries[]): readonly SeriesFacts[] {
  return series.map((one) => ({
    ...UNKNOWN,
    series_uid: one.uid,
    series_number: one.number ?? null,
    modality: one.modality.code ?? '',
    description: one.description ?? '',
    body_part: one.bodySite?.display ?? '',
    images: countOf(one.numberOfInstances),
    acquired: one.started ?? '',
  }));
}

/** One instance may be a multi-frame file of a whole volume: then the number of images is unknown. */
const countOf = (instances: number | null | undefined): number | null =>
  instances === undefined || instances === null || instances <= 1 ? null : instances;

/** Nothing known: a base for facts from a poor source. */
export const UNKNOWN: SeriesFacts = {
  series_uid: '',
  series_number: null,
  modality: '',
  description: '',
  protocol: '',
  sequence_name: '',
  body_part: '',
  image_type: [],
  scanning_sequence: [],
  sequence_variant: [],
  scan_options: [],
  acquisition_type: '',
  repetition_time_ms: null,
  echo_time_ms: null,
  inversion_time_ms: null,
  flip_angle_deg: null,
  b_value: null,
  contrast_agent: '',
  images: null,
  slices: null,
  frames: null,
  spacing_mm: null,
  slice_thickness_mm: null,
  acquired: '',
  radiopharmaceutical: { codes: [], text: '' },
  units: '',
  corrections: [],
};

function factsOfInstances(instances: readonly Instance[]): SeriesFacts {
  const [one] = instances;
  const planes = instances.flatMap((instance) => instance.planes);
  const frames = instances.reduce((sum, { planes: own, frames: said }) => sum + Math.max(own.length, said), 0);
  // A match of a search for series stands for all its instances and describes none of them.
  const images = one.sopUid === '' ? countOf(one.instancesOfSeries) : one.mosaic ? instances.length : frames;
  const levels = one.mosaic ? null : levelsOf(instances);
  const slices = levels?.count ?? null;
  const between = levels?.spacing ?? one.spacingBetweenSlices ?? one.sliceThickness;
  const [row, column] = one.pixelSpacing;
  return {
    series_uid: one.seriesUid,
    series_number: one.seriesNumber,
    modality: one.modality,
    description: one.description,
    protocol: one.protocol,
    sequence_name: one.sequenceName,
    body_part: one.bodyPart,
    image_type: one.imageType,
    scanning_sequence: one.scanningSequence,
    sequence_variant: one.sequenceVariant,
    scan_options: one.scanOptions,
    acquisition_type: one.acquisitionType,
    repetition_time_ms: one.repetitionTime,
    echo_time_ms: one.echoTime,
    inversion_time_ms: one.inversionTime,
    flip_angle_deg: one.flipAngle,
    b_value: planes.reduce<number | null>(
      (max, { bValue }) => (bValue === null ? max : Math.max(max ?? 0, bValue)),
      null,
    ),
    contrast_agent: one.contrastAgent,
    images,
    slices,
    frames: slices === null || images === null ? null : Math.round(images / slices),
    spacing_mm: row > 0 && column > 0 && between !== null && between > 0 ? [row, column, between] : null,
    slice_thickness_mm: one.sliceThickness,
    acquired: acquiredOf(instances),
    radiopharmaceutical: one.radiopharmaceutical,
    units: one.units,
    corrections: one.corrections,
  };
}

/** Different positions along the first plane's normal, and the usual step between them. */
function levelsOf(instances: readonly Instance[]): { readonly count: number; readonly spacing: number | null } | null {
  const planes = instances.flatMap((instance) => instance.planes);
  const orientation = planes[0]?.orientation;
  if (orientation === undefined || orientation === null) return null;
  const normal = normalOf(orientation);
  const at = planes.flatMap(({ position }) =>
    position === null ? [] : [normal[0] * position[0] + normal[1] * position[1] + normal[2] * position[2]],
  );
  if (at.length !== planes.length) return null;
  const steps = at
    .sort((a, b) => a - b)
    .slice(1)
    .map((value, index) => value - at[index])
    .filter((step) => step >= 0.01)
    .sort((a, b) => a - b);
  return { count: steps.length + 1, spacing: steps[Math.floor((steps.length - 1) / 2)] ?? null };
}

/** The earliest acquisition, as `YYYY-MM-DDTHH:MM:SS`. */
function acquiredOf(instances: readonly Instance[]): string {
  const all = instances.map(({ acquiredDate: day, acquiredTime: time }) => {
    if (!/^\d{8}$/.test(day)) return '';
    const date = `${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}`;
    return /^\d{6}/.test(time) ? `${date}T${time.slice(0, 2)}:${time.slice(2, 4)}:${time.slice(4, 6)}` : date;
  });
  return all.filter(Boolean).sort()[0] ?? '';
}
