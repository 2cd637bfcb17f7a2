/** A DICOM series to one NIfTI image: headers checked first, then dcm2niix in a process of its own. */
import { mkdtemp, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EngramError, isEngramError } from '@engram/errors';
import { gzip, type NiftiHeader, readNifti } from '@engram/formats';
import { applyAffine, flipLps, invertAffine, type Volume } from '@engram/volume';
import { type CheckOptions, checkSeries, labelOf, type SeriesCheck } from './check-series.ts';
import type { ConverterReport } from './converter-protocol.ts';
import { fillGaps } from './fill-gaps.ts';
import { type DicomFolder, type DicomSeries, type FolderLimits, readDicomHeaders } from './read-headers.ts';
import { type ConverterLimits, runConverter } from './run-converter.ts';
import { cleanSidecar, type Sidecar } from './sidecar.ts';

export interface ConvertOptions extends CheckOptions {
  /** SeriesInstanceUID; needed where the folder holds several series. */
  readonly series?: string;
  readonly limits?: Partial<ConverterLimits & FolderLimits>;
  readonly signal?: AbortSignal;
}

export interface ConvertedSeries {
  /** `.nii.gz`, the same bytes for the same series. */
  readonly nifti: Uint8Array;
  /** The same image, read and checked. */
  readonly volume: Volume;
  readonly header: NiftiHeader;
  /** BIDS, without what could tell who or where. */
  readonly sidecar: Sidecar;
  /** What a reviewer should know, in plain words. */
  readonly warnings: readonly string[];
}

/**
 * @param source a folder, a file, or a list of files of one series.
 * @throws as `readDicomHeaders` and `checkSeries`; DICOM_NO_SERIES, DICOM_SEVERAL_SERIES; the code of a broken file, by its
 * name; DICOM_CONVERSION_FAILED, DICOM_CONVERSION_LIMIT; the codes of `readNifti` for what comes out.
 */
export async function convertSeries(
  source: string | readonly string[],
  options: ConvertOptions = {},
): Promise<ConvertedSeries> {
  const folder = await readDicomHeaders(source, {
    ...(options.limits && { limits: options.limits }),
    signal: options.signal,
  });
  return await convertChecked(seriesOf(folder, options.series), options);
}

/** As `convertSeries`, for headers already read. */
export async function convertChecked(series: DicomSeries, options: ConvertOptions = {}): Promise<ConvertedSeries> {
  const check = checkSeries(series, options);
  const label = labelOf(series.files[0].instance);
  // The process is allowed this folder by its real path; some systems' temporary folder is a link.
  const temporary = await mkdtemp(join(await realpath(tmpdir()), 'engram-dicom-'));
  try {
    const files = check.files.map(({ path, instance }) => ({ path, name: instance.file }));
    const report = await runConverter({ files, folder: temporary }, { limits: options.limits, signal: options.signal });
    const chosen = chooseOutput(report, label, check);
    const bytes = anonymous(await readFile(join(temporary, `${chosen.stem}.nii`)));
    const { volume, header } = await readNifti(bytes, { name: label });
    const filled = check.gaps.length === 0 ? { bytes, volume, header } : await fillGaps(bytes, volume, header, check);
    expectWhole(filled.volume, check, label);
    expectInPlace(filled.volume, check, label);
    const sidecar = report.outputs.includes(`${chosen.stem}.json`)
      ? cleanSidecar(await readFile(join(temporary, `${chosen.stem}.json`), 'utf8'))
      : {};
    const warnings = [...check.warnings, ...chosen.warnings, ...converterWarnings(report, files)];
    return { nifti: gzip(filled.bytes), volume: filled.volume, header: filled.header, sidecar, warnings };
  } catch (error) {
    if (isEngramError(error, 'DICOM_CONVERSION_FAILED') || isEngramError(error, 'DICOM_CONVERSION_LIMIT')) {
      throw new EngramError(
        error.code,
        error.message.startsWith('Series ') ? error.message : `${label}: ${error.message}`,
        {
          cause: error,
        },
      );
    }
    throw error;
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

function seriesOf(folder: DicomFolder, uid: string | undefined): DicomSeries {
  // A broken file may be a slice of the series: without it the volume would be wrong, not merely smaller.
  const [broken] = folder.refused;
  if (broken !== undefined) throw broken;
  if (folder.series.length === 0) {
    const found = folder.ignored.length === 0 ? 'is empty' : `holds no DICOM file, such as ${folder.ignored[0]}`;
    throw new EngramError(
      folder.ignored.length === 1 ? 'DICOM_INVALID' : 'DICOM_NO_SERIES',
      folder.ignored.length === 1 ? `${folder.ignored[0]} is not a DICOM file` : `The folder ${found}`,
      folder.ignored.length === 0 ? {} : { file: folder.ignored[0] },
    );
  }
  if (uid === undefined) {
    if (folder.series.length > 1) {
      const names = folder.series.map(({ files }) => labelOf(files[0].instance)).join('; ');
      throw new EngramError('DICOM_SEVERAL_SERIES', `Name one of ${folder.series.length} series: ${names}`);
    }
    return folder.series[0];
  }
  const found = folder.series.find((series) => series.uid === uid);
  if (found === undefined)
    throw new EngramError('DICOM_NO_SERIES', `The series ${uid} is not there`, { field: 'series' });
  return found;
}

/**
 * dcm2niix writes several images where a series holds several. `_Eq` is its own resampling of uneven slices, `_Tilt` its
 * correction of a gantry: neither is the image as acquired.
 */
const NOT_THE_IMAGE = /_(Eq|Tilt|ph|real|imaginary|MoCo|ROI|ADC|phMag)(_|\d|$)/i;

function chooseOutput(
  report: ConverterReport,
  label: string,
  check: SeriesCheck,
): { readonly stem: string; readonly warnings: readonly string[] } {
  const stems = report.outputs.flatMap((name) => (name.endsWith('.nii') ? [name.slice(0, -4)] : [])).sort();
  const images = stems.filter((stem) => !NOT_THE_IMAGE.test(stem.slice(3)));
  const reason = report.log.find((line) => /error/i.test(line)) ?? report.log.at(-1) ?? '';
  if (images.length === 0) {
    const compressed = /Compressed image stored as|decompress|transfer syntax/i.exec(report.log.join('\n'));
    const why = compressed ? 'its compression is not handled' : `dcm2niix made no image (${quoteless(reason)})`;
    throw new EngramError(compressed ? 'DICOM_UNSUPPORTED' : 'DICOM_CONVERSION_FAILED', `${label}: ${why}`, {
      file: check.files[0].instance.file,
    });
  }
  if (report.log.some((line) => line.includes('Bogus spatial matrix'))) {
    throw new EngramError('DICOM_GEOMETRY', `${label}: positions and orientations make no volume`);
  }
  // `out`, `out_e1`, … in order: the plain or first echo leads; it weights T2* least.
  const [stem] = images;
  const warnings = images.length === 1 ? [] : [`dcm2niix made ${images.length} images of the series; took the first`];
  return { stem, warnings };
}

/** What dcm2niix warned of, with our file names and without what it quotes from the headers. */
function converterWarnings(report: ConverterReport, files: readonly { readonly name: string }[]): readonly string[] {
  const lines = report.log.filter((line) => /^(Warning|Error)/.test(line)).map(quoteless);
  return [...new Set(lines)]
    .slice(0, 20)
    .map(
      (line) =>
        `dcm2niix: ${line.replace(/\/in\/(\d+)(?:_\d+)?\.dcm/g, (_, index: string) => files[Number(index)]?.name ?? '?')}`,
    );
}

const quoteless = (line: string): string => line.replace(/(['"]).*?\1/g, '…').slice(0, 200);

/** descrip holds an acquisition time and aux_file a free-text comment: both may point to a person. */
function anonymous(nifti: Buffer): Uint8Array {
  const text = 'dcm2niix';
  nifti.fill(0, 148, 252);
  nifti.write(text, 148, 'latin1');
  return nifti;
}

/** A volume of another number of voxels than the headers promise means slices were dropped or split off. */
function expectWhole(volume: Volume, check: SeriesCheck, label: string): void {
  if (check.slices === null) return;
  const { rows, columns } = check.files[0].instance;
  const expected = rows * columns * (check.slices + check.gaps.length) * check.frames;
  if (volume.data.length !== expected) {
    const shape = [...volume.shape, ...(volume.frames > 1 ? [volume.frames] : [])].join(' x ');
    const wanted = `${columns} x ${rows} x ${check.slices + check.gaps.length} x ${check.frames}`;
    throw new EngramError('DICOM_CONVERSION_FAILED', `${label}: dcm2niix made ${shape} voxels of ${wanted}`);
  }
}

/** Every slice's first pixel must be a voxel's centre, and each slice another plane of voxels: else slices were misplaced. */
function expectInPlace(volume: Volume, check: SeriesCheck, label: string): void {
  if (check.slices === null) return;
  const toVoxel = invertAffine(volume.affine);
  for (const { instance } of check.files) {
    for (const { position } of instance.planes) {
      if (position === null) continue;
      const at = applyAffine(toVoxel, flipLps(position));
      const inside = at.every((index, axis) => {
        const nearest = Math.round(index);
        return Math.abs(index - nearest) < 0.1 && nearest >= 0 && nearest < volume.shape[axis];
      });
      if (!inside) {
        const where = at.map((index) => index.toFixed(2)).join(', ');
        throw new EngramError('DICOM_CONVERSION_FAILED', `${label}: ${instance.file} came to lie at voxel ${where}`, {
          file: instance.file,
        });
      }
    }
  }
}
