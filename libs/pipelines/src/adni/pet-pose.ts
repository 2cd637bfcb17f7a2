/**
 * Whether the PET has to be brought onto the T1, or lies there already. Raw scans carry scanner coordinates and always have to
 * be. Images that were brought into a template's space say so in their headers, and a rigid fit could only disturb what a
 * normalisation, which is not rigid, has done. Codes: NIfTI-1, "qform_code and sform_code".
 */
import type { NiftiHeader } from '@engram/formats';
import type { AdniParameters } from './parameters.ts';

export const SCANNER = 1;
const ALIGNED = 2;
/** Talairach, MNI 152, another template (NIfTI-2). */
const TEMPLATES: readonly number[] = [3, 4, 5];

/** The space the affine that is in force was declared for; 0 where nothing was. */
export function spaceOf({ affineSource, qformCode, sformCode }: NiftiHeader): number {
  return affineSource === 'sform' ? sformCode : affineSource === 'qform' ? qformCode : 0;
}

/**
 * `auto` keeps the headers' pose only for a T1 in a template's space beside a PET that is in the same one, or "aligned" to
 * another image. A PET that is aligned beside a T1 in scanner or aligned coordinates is registered: code 2 alone is what some
 * writers put into every file.
 */
export function choosePose(wanted: AdniParameters['pet']['pose'], t1: number, pet: number): 'search' | 'header' {
  if (wanted !== 'auto') return wanted;
  return TEMPLATES.includes(t1) && (pet === t1 || pet === ALIGNED) ? 'header' : 'search';
}
