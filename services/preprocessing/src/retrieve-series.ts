/** Series from a PACS over DICOMweb, through the guarded fetch. */
import { createDicomWeb } from '@engram/dicom';
import type { Fetch } from '@engram/http';
import type { RetrieveSeries } from './fetch-input.ts';

export function retrieveOverDicomWeb(fetch: Fetch): RetrieveSeries {
  return async function* (source, signal) {
    const pacs = createDicomWeb({ base: source.base, fetch });
    for await (const { bytes } of pacs.retrieveSeries(source.study_uid, source.series_uid, { signal })) yield bytes;
  };
}
