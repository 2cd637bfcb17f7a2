/**
 * Tagged, coded errors.
 *
 * @example
 * throw new EngramError('NIFTI_TRUNCATED', 't1.nii.gz holds 100 of 7 221 032 voxels', { file: 't1.nii.gz' });
 * @module
 */
export { catalogue, type ErrorCode, type ErrorEntry } from './catalogue.ts';
export { asEngramError, EngramError, type ErrorFields, isEngramError } from './engram-error.ts';
