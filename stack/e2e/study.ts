/** A real DICOM study on disk, as far as a hospital's systems know it. */
import { readFile } from 'node:fs/promises';
import { type DicomSeries, readDicomHeaders } from '@engram/dicom';

export interface RealSeries {
  readonly uid: string;
  readonly number: number;
  readonly modality: string;
  readonly description: string;
  /** Paths of its instances. */
  readonly files: readonly string[];
  readonly instances: readonly { readonly uid: string; readonly sopClass: string }[];
}

export interface RealStudy {
  readonly uid: string;
  /** `YYYY-MM-DD`, as the headers say. */
  readonly date: string;
  readonly series: readonly RealSeries[];
}

/** @throws Error when the folder holds other than one study. */
export async function readStudy(folder: string): Promise<RealStudy> {
  const { series } = await readDicomHeaders(folder);
  const uids = new Set(series.map(({ studyUid }) => studyUid));
  const [uid] = uids;
  if (uid === undefined || uids.size !== 1) throw new Error(`one study is needed, found ${uids.size}`);
  const written = series[0].files[0].instance.studyDate;
  return { uid, date: written.replace(/^(\d{4})(\d{2})(\d{2})$/, '$1-$2-$3'), series: series.map(realSeries) };
}

function realSeries({ uid, files }: DicomSeries): RealSeries {
  const { seriesNumber, modality, description } = files[0].instance;
  return {
    uid,
    number: seriesNumber ?? 1,
    modality,
    description,
    files: files.map(({ path }) => path),
    instances: files.map(({ instance }) => ({ uid: instance.sopUid, sopClass: instance.sopClass })),
  };
}

/** One file at a time, so that a study need not fit into memory twice. */
export async function* instancesOf(study: RealStudy): AsyncGenerator<Uint8Array> {
  for (const { files } of study.series) for (const file of files) yield await readFile(file);
}
