/** A folder of DICOM files to the one image that a role asks for. */
import {
  type ConvertedSeries,
  chooseSeries,
  convertChecked,
  type DicomSeries,
  factsOfSeries,
  readDicomHeaders,
} from '@engram/dicom';
import { EngramError } from '@engram/errors';

export interface ChosenImage extends ConvertedSeries {
  readonly series: DicomSeries;
}

/**
 * @throws as `readDicomHeaders` and `convertChecked`; DICOM_NO_SERIES where a study holds nothing for the role; IMAGE_MODALITY
 * where its only series is of another kind.
 */
export async function convertDicom(
  path: string,
  role: 't1' | 'pet',
  note: (text: string) => void,
  missingSlices: 'interpolate' | 'refuse' = 'refuse',
): Promise<ChosenImage> {
  const folder = await readDicomHeaders(path);
  const [broken] = folder.refused;
  // A broken file may be a slice of the series: without it the volume would be wrong, not merely smaller.
  if (broken !== undefined) throw broken;
  const { series, warnings } = pick(folder.series, role, note);
  const converted = await convertChecked(
    series,
    role === 't1' ? { expect: '3d', modality: 'MR', missingSlices } : { modality: 'PT' },
  );
  return { ...converted, series, warnings: [...warnings, ...converted.warnings] };
}

function pick(
  all: readonly DicomSeries[],
  role: 't1' | 'pet',
  note: (text: string) => void,
): { readonly series: DicomSeries; readonly warnings: readonly string[] } {
  const facts = all.map(factsOfSeries);
  const choice = chooseSeries(facts);
  const chosen = choice[role];
  const found = all.find(({ uid }) => uid === chosen?.series_uid);
  if (found) {
    note(choice.decisions.find(({ series_uid }) => series_uid === found.uid)?.reason ?? 'the only series');
    return { series: found, warnings: [] };
  }
  const wanted = role === 't1' ? 'MR' : 'PT';
  const [only] = all;
  const reason = choice.decisions[0]?.reason ?? 'there is none';
  if (all.length !== 1)
    throw new EngramError('DICOM_NO_SERIES', `None of ${all.length} series is a ${role.toUpperCase()}: ${reason}`, {
      field: role,
    });
  if (facts[0].modality !== wanted)
    throw new EngramError('IMAGE_MODALITY', `The series is ${facts[0].modality || 'of no modality'}, not ${wanted}`, {
      field: role,
    });
  // Someone named this very series as the role's: protocol names are a habit of sites, so the image itself decides.
  return { series: only, warnings: [`The series does not look like a ${role.toUpperCase()} by its header: ${reason}`] };
}
