/**
 * Whether the instances of a series make one sound volume, from their headers alone and before any conversion: a
 * converter would silently squeeze a series with a slice missing, or shear one with a tilted gantry.
 */
import { EngramError, type ErrorCode } from '@engram/errors';
import type { Vec3 } from '@engram/volume';
import { type Instance, normalOf, type Plane } from './instance.ts';
import type { DicomFile, DicomSeries } from './read-headers.ts';

export interface CheckOptions {
  /** Default `any`. */
  readonly expect?: '3d' | '4d' | 'any';
  /** The modality that is wanted, such as MR or PT; any by default. */
  readonly modality?: string;
  /** Fewer slices are refused. Default 2. */
  readonly minSlices?: number;
  /** `interpolate` lets single slices be missing between two others. Default `refuse`. */
  readonly missingSlices?: 'refuse' | 'interpolate';
}

export interface Gap {
  /** Index, from the lowest position along the normal, of the slice behind which one is missing. */
  readonly after: number;
}

export interface SeriesCheck {
  /** The files to convert: one echo, magnitude only. */
  readonly files: readonly DicomFile[];
  /** null for a mosaic, whose slices are tiled in one image. */
  readonly slices: number | null;
  readonly frames: number;
  /** mm between slices; null for a mosaic. */
  readonly spacing: number | null;
  readonly normal: Vec3 | null;
  readonly gaps: readonly Gap[];
  readonly warnings: readonly string[];
}

/** Cosine beyond which two directions count as different: 0.1 degrees. */
const SAME_DIRECTION = Math.cos((0.1 * Math.PI) / 180);
/** Two positions closer than this, in mm, are one. */
const SAME_POSITION = 0.01;

interface Placed {
  readonly plane: Plane & { readonly position: Vec3; readonly orientation: readonly number[] };
  readonly instance: Instance;
}

const dot = (a: readonly number[], b: readonly number[]) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];

/**
 * @throws DICOM_NO_PIXELS, IMAGE_MODALITY, DICOM_LOCALIZER, DICOM_GEOMETRY, DICOM_GANTRY_TILT, DICOM_ONE_SLICE,
 * DICOM_SLICES_MISSING, IMAGE_DIMENSIONS; each names a file or the series' number.
 */
export function checkSeries(series: DicomSeries, options: CheckOptions = {}): SeriesCheck {
  const label = labelOf(series.files[0].instance);
  const fail = (code: ErrorCode, why: string, file?: string) =>
    new EngramError(code, `${label}: ${why}`, file === undefined ? {} : { file });

  const images = series.files.filter((file) => file.hasPixels);
  if (images.length === 0) throw fail('DICOM_NO_PIXELS', 'holds no image', series.files[0].instance.file);
  const wrong = images.find(({ instance }) => options.modality !== undefined && instance.modality !== options.modality);
  if (wrong !== undefined) {
    throw fail(
      'IMAGE_MODALITY',
      `is ${wrong.instance.modality || 'of no modality'}, not ${options.modality}`,
      wrong.instance.file,
    );
  }
  const scout = images.find(({ instance }) => instance.imageType.includes('LOCALIZER'));
  if (scout !== undefined) throw fail('DICOM_LOCALIZER', 'is a localiser', scout.instance.file);

  const warnings: string[] = [];
  const files = oneContrast(images, warnings);
  checkSizes(files, fail);
  if (files.every(({ instance }) => instance.mosaic)) {
    const frames = files.length;
    expectFrames(frames, options, fail);
    return { files, slices: null, frames, spacing: null, normal: null, gaps: [], warnings };
  }

  const placed = placedPlanes(files, fail);
  const normal = checkDirections(placed, files, fail);
  const levels = levelsOf(placed, normal);
  const minSlices = options.minSlices ?? 2;
  if (levels.length < minSlices) {
    const what = levels.length === 1 ? 'is a single slice' : `has ${levels.length} slices, fewer than ${minSlices}`;
    throw fail('DICOM_ONE_SLICE', what, files[0].instance.file);
  }
  const { spacing, gaps } = checkSpacing(levels, fail, options);
  checkTilt(levels, normal, files, fail);
  const frames = checkFrames(levels, fail);
  expectFrames(frames, options, fail);
  if (gaps.length > 0)
    warnings.push(`${label}: ${gaps.length} missing slice(s) were interpolated from their neighbours`);
  warnings.push(...numberingWarnings(files, gaps.length, label));
  return { files, slices: levels.length, frames, spacing, normal, gaps, warnings };
}

type Fail = (code: ErrorCode, why: string, file?: string) => EngramError;

/** Number and modality: a description is free text, where some sites write a name. */
export function labelOf(instance: Instance): string {
  return `Series ${instance.seriesNumber ?? 'without number'} (${instance.modality || 'no modality'})`;
}

const PHASE = new Set(['P', 'PHASE', 'PHASE MAP', 'P_FFE', 'P_SE', 'R', 'REAL', 'R_FFE', 'I', 'IMAGINARY', 'I_FFE']);

/** Of several echoes the first, of magnitude and phase the magnitude; the rest is said in a warning. */
function oneContrast(images: readonly DicomFile[], warnings: string[]): readonly DicomFile[] {
  const magnitude = images.filter(({ instance }) => !instance.imageType.some((type) => PHASE.has(type)));
  const kept = magnitude.length > 0 ? magnitude : images;
  if (kept.length < images.length) warnings.push('took the magnitude images and left the phase images');
  const echoes = [...new Set(kept.map(({ instance }) => instance.echoTime))].filter((echo) => echo !== null);
  // Echoes of one series differ by milliseconds and share every position; a spread within rounding is no echo.
  const distinct = echoes
    .sort((a, b) => a - b)
    .filter((echo, index, all) => index === 0 || echo - all[index - 1] > 0.5);
  if (distinct.length < 2 || distinct.length > 16 || kept.length % distinct.length !== 0) return kept;
  const one = kept.filter(({ instance }) => Math.abs((instance.echoTime ?? Infinity) - distinct[0]) <= 0.5);
  if (one.length * distinct.length !== kept.length) return kept;
  warnings.push(`took the first of ${distinct.length} echoes (${distinct[0]} ms): it weights T2* least`);
  return one;
}

function checkSizes(files: readonly DicomFile[], fail: Fail): void {
  const [{ instance: one }] = files;
  if (one.rows < 1 || one.columns < 1) throw fail('DICOM_GEOMETRY', `${one.file} gives no image size`, one.file);
  for (const { instance } of files) {
    if (instance.rows !== one.rows || instance.columns !== one.columns) {
      const sizes = `${one.file} is ${one.rows} x ${one.columns}, ${instance.file} is ${instance.rows} x ${instance.columns}`;
      throw fail('DICOM_GEOMETRY', `images of different sizes: ${sizes}`, instance.file);
    }
    const near = instance.pixelSpacing.every((mm, axis) => Math.abs(mm - one.pixelSpacing[axis]) < 1e-3);
    if (instance.pixelSpacing.length !== one.pixelSpacing.length || !near) {
      throw fail('DICOM_GEOMETRY', `images of different pixel spacing: ${one.file}, ${instance.file}`, instance.file);
    }
  }
}

function placedPlanes(files: readonly DicomFile[], fail: Fail): readonly Placed[] {
  return files.flatMap(({ instance }) =>
    instance.planes.map((plane) => {
      const { position, orientation } = plane;
      if (position === null || orientation === null || instance.pixelSpacing.length !== 2) {
        const what = position === null ? 'position' : orientation === null ? 'orientation' : 'pixel spacing';
        throw fail('DICOM_GEOMETRY', `${instance.file} gives no ${what} in space`, instance.file);
      }
      const normal = normalOf(orientation);
      if (![...orientation, ...position].every(Number.isFinite) || Math.abs(Math.hypot(...normal) - 1) > 0.01) {
        throw fail('DICOM_GEOMETRY', `${instance.file} gives an orientation that is none`, instance.file);
      }
      return { instance, plane: { ...plane, position, orientation } };
    }),
  );
}

function checkDirections(placed: readonly Placed[], files: readonly DicomFile[], fail: Fail): Vec3 {
  const [{ plane: one }] = placed;
  for (const { plane, instance } of placed) {
    const rows = dot(plane.orientation, one.orientation);
    const columns = dot(plane.orientation.slice(3), one.orientation.slice(3));
    if (rows < SAME_DIRECTION || columns < SAME_DIRECTION) {
      // Three orthogonal stacks in one series are what every scanner calls a localiser.
      const few = placed.length <= 60 && Math.abs(dot(normalOf(plane.orientation), normalOf(one.orientation))) < 0.5;
      const code = few ? 'DICOM_LOCALIZER' : 'DICOM_GEOMETRY';
      throw fail(code, `slices of several orientations: ${files[0].instance.file}, ${instance.file}`, instance.file);
    }
  }
  return normalOf(one.orientation);
}

interface Level {
  readonly at: number;
  readonly planes: readonly Placed[];
}

/** Planes by their position along the normal, lowest first. */
function levelsOf(placed: readonly Placed[], normal: Vec3): readonly Level[] {
  const sorted = placed.map((one) => ({ one, at: dot(normal, one.plane.position) })).sort((a, b) => a.at - b.at);
  const levels: { at: number; planes: Placed[] }[] = [];
  for (const { one, at } of sorted) {
    const last = levels.at(-1);
    if (last !== undefined && at - last.at < SAME_POSITION) last.planes.push(one);
    else levels.push({ at, planes: [one] });
  }
  return levels;
}

const numbers = (level: Level) => level.planes[0].instance.instanceNumber ?? level.planes[0].instance.file;

function checkSpacing(
  levels: readonly Level[],
  fail: Fail,
  options: CheckOptions,
): { readonly spacing: number | null; readonly gaps: readonly Gap[] } {
  if (levels.length < 2) return { spacing: levels[0].planes[0].instance.sliceThickness, gaps: [] };
  const steps = levels.slice(1).map((level, index) => level.at - levels[index].at);
  const spacing = [...steps].sort((a, b) => a - b)[Math.floor((steps.length - 1) / 2)];
  const gaps: Gap[] = [];
  for (const [after, step] of steps.entries()) {
    const [before, behind] = [levels[after], levels[after + 1]];
    const between = `between instances ${numbers(before)} and ${numbers(behind)}`;
    const missing = Math.round(step / spacing) - 1;
    const whole = Math.abs(step / spacing - Math.round(step / spacing)) < 0.1;
    if (missing >= 1 && whole) {
      if (options.missingSlices === 'interpolate' && missing === 1) gaps.push({ after });
      else {
        const how = `${step.toFixed(2)} mm apart where slices are ${spacing.toFixed(2)} mm apart`;
        throw fail(
          'DICOM_SLICES_MISSING',
          `${missing} slice(s) missing ${between} (${how})`,
          behind.planes[0].instance.file,
        );
      }
    } else if (!whole) {
      const how = `${step.toFixed(2)} mm ${between}, ${spacing.toFixed(2)} mm elsewhere`;
      throw fail('DICOM_GEOMETRY', `slices are unevenly spaced: ${how}`, behind.planes[0].instance.file);
    }
  }
  // Every second slice missing looks like a wider spacing: more than 2 in 100 is no accident to paint over.
  if (gaps.length > Math.max(1, levels.length * 0.02)) {
    throw fail('DICOM_SLICES_MISSING', `${gaps.length} slices are missing, too many to interpolate`);
  }
  return { spacing, gaps };
}

/** Slices must lie straight behind each other: within 1 degree of the normal. */
function checkTilt(levels: readonly Level[], normal: Vec3, files: readonly DicomFile[], fail: Fail): void {
  const tilted = files.find(({ instance }) => instance.gantryTilt !== null && Math.abs(instance.gantryTilt) > 1e-3);
  if (tilted !== undefined) {
    const degrees = tilted.instance.gantryTilt;
    throw fail('DICOM_GANTRY_TILT', `the gantry is tilted by ${degrees} degrees`, tilted.instance.file);
  }
  if (levels.length < 2) return;
  const [p, q] = [levels[0].planes[0].plane.position, levels[levels.length - 1].planes[0].plane.position];
  const step = [q[0] - p[0], q[1] - p[1], q[2] - p[2]];
  const cosine = dot(step, normal) / Math.hypot(...step);
  const degrees = (Math.acos(Math.min(1, cosine)) * 180) / Math.PI;
  if (degrees > 1) {
    const file = levels[levels.length - 1].planes[0].instance.file;
    throw fail('DICOM_GANTRY_TILT', `slices are sheared by ${degrees.toFixed(1)} degrees against their normal`, file);
  }
}

function checkFrames(levels: readonly Level[], fail: Fail): number {
  const frames = Math.max(...levels.map((level) => level.planes.length));
  const short = levels.find((level) => level.planes.length !== frames);
  if (short !== undefined) {
    const what = `instance ${numbers(short)} has ${short.planes.length} of ${frames} images at its position`;
    throw fail('DICOM_SLICES_MISSING', what, short.planes[0].instance.file);
  }
  return frames;
}

function expectFrames(frames: number, { expect = 'any' }: CheckOptions, fail: Fail): void {
  if (expect === '3d' && frames > 1)
    throw fail('IMAGE_DIMENSIONS', `has ${frames} frames where a 3D image is expected`);
  if (expect === '4d' && frames === 1) throw fail('IMAGE_DIMENSIONS', 'is a 3D image where frames are expected');
}

/** Numbers that run beyond the count hint at files left behind, also at the ends, where positions cannot show it. */
function numberingWarnings(files: readonly DicomFile[], gaps: number, label: string): readonly string[] {
  const seen = new Set(files.flatMap(({ instance }) => instance.instanceNumber ?? []));
  if (seen.size !== files.length) return [];
  const [low, high] = [Math.min(...seen), Math.max(...seen)];
  const absent = high - low + 1 - files.length - gaps;
  return low <= 1 && absent > 0 && absent < files.length
    ? [`${label}: instance numbers run from ${low} to ${high}, but there are ${files.length} files`]
    : [];
}
