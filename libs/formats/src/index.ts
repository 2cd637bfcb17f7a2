/**
 * Files of images and transforms: NIfTI-1 and NIfTI-2, displacement fields, ITK text affines. One file per format, behind
 * a guard that refuses what is broken, hostile or not an image, with a code and the file's name.
 *
 * @example
 * const { volume, header } = await readNifti('t1.nii.gz');
 * const bytes = writeNifti(volume, { like: header });   // same space, orientation and codes
 * @module
 */
export type { Source } from './byte-source.ts';
export { readField, writeField } from './field.ts';
export { gzip } from './gzip.ts';
export { readItkAffine, writeItkAffine } from './itk-affine.ts';
export { DEFAULT_LIMITS, type Limits } from './limits.ts';
export type { Datatype } from './nifti-datatype.ts';
export type { NiftiHeader } from './nifti-header.ts';
export { type NiftiImage, type ReadOptions, readLabels, readMask, readNifti, readNiftiHeader } from './read-nifti.ts';
export { type WritableDatatype, type WriteOptions, writeNifti } from './write-nifti.ts';
