/** A study of no person, for machines without a real one: the demo's phantom as a series of DICOM slices. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureAtlas, loadAtlas } from '@engram/pipelines';
import { type DicomElements, dicomSlice, phantomSession } from '@engram/testing';
import { applyAffine, type Vec3, type Volume } from '@engram/volume';

const SERIES = '1.2.826.0.1.1';
/** Stored values a unit of the phantom's, whose white matter is at 110. */
const GAIN = 100;
const LARGEST = 65_535;
/** Thicker slices than 3 mm are no T1. */
const VOXEL_MM = 2.5;

/** Writes one file a slice into `folder`. */
export async function writeSyntheticStudy(folder: string, sessionDate: string): Promise<void> {
  const atlas = await loadAtlas(await ensureAtlas());
  const { t1 } = phantomSession(atlas, { sessionDate, severity: 0.5 }, { voxelMm: VOXEL_MM });
  await mkdir(folder, { recursive: true });
  for (let k = 0; k < t1.shape[2]; k++) await writeFile(join(folder, `${k + 1}.dcm`), sliceOf(t1, k, sessionDate));
}

function sliceOf(t1: Volume, k: number, date: string): Buffer {
  const [nx, ny] = t1.shape;
  const origin = lps(applyAffine(t1.affine, [0, 0, k]));
  const right = minus(lps(applyAffine(t1.affine, [1, 0, k])), origin);
  const down = minus(lps(applyAffine(t1.affine, [0, 1, k])), origin);
  const thickness = length(minus(lps(applyAffine(t1.affine, [0, 0, k + 1])), origin));
  const plane = t1.data.subarray(k * nx * ny, (k + 1) * nx * ny);
  const more: DicomElements = {
    '00080020': ['DA', date.replaceAll('-', '')],
    '0008103e': ['LO', 'T1w MPRAGE SYNTHETIC'],
    '00180050': ['DS', thickness.toFixed(6)],
    '00280030': ['DS', `${length(down).toFixed(6)}\\${length(right).toFixed(6)}`],
  };
  return dicomSlice({
    series: SERIES,
    instance: k + 1,
    columns: nx,
    rows: ny,
    position: rounded(origin),
    orientation: [...rounded(unit(right)), ...rounded(unit(down))],
    pixels: Array.from(plane, (value) => Math.min(LARGEST, Math.round(value * GAIN))),
    more,
  });
}

const lps = ([x, y, z]: Vec3): Vec3 => [-x, -y, z];
const minus = (a: Vec3, b: Vec3): Vec3 => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
const length = (a: Vec3): number => Math.hypot(...a);
const unit = (a: Vec3): Vec3 => [a[0] / length(a), a[1] / length(a), a[2] / length(a)];
/** A decimal string of DICOM has 16 characters at most. */
const rounded = (a: Vec3): [number, number, number] => [round(a[0]), round(a[1]), round(a[2])];
const round = (value: number): number => Math.round(value * 1e6) / 1e6;
