import { isDicom } from './read-dataset.ts';

/**
 * Zeroes the 128 bytes before `DICM`, where an executable or a script can hide (CVE-2019-11687); DICOM gives them no
 * meaning. In place; what is no DICOM file is left as it is.
 */
export function sanitisePreamble<T extends Uint8Array>(bytes: T): T {
  if (isDicom(bytes)) bytes.fill(0, 0, 128);
  return bytes;
}
