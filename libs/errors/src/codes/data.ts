/** Codes of image files: NIfTI and what it holds. */
export const dataCodes = {
  FILE_NOT_FOUND: {
    title: 'The file or folder is not there',
    action: 'Check the path.',
    retryable: false,
    status: 422,
  },
  FILE_TOO_LARGE: {
    title: 'The file is larger than the limit',
    action: 'Raise the limit if the file is right.',
    retryable: false,
    status: 422,
  },
  GZIP_INVALID: {
    title: 'The gzip stream is broken or a bomb',
    action: 'Send the file again.',
    retryable: false,
    status: 422,
  },
  NIFTI_INVALID: { title: 'Not a valid NIfTI file', action: 'Convert the scan again.', retryable: false, status: 422 },
  NIFTI_TRUNCATED: {
    title: 'The file ends before its voxels do',
    action: 'Send the file again.',
    retryable: false,
    status: 422,
  },
  NIFTI_UNSUPPORTED: {
    title: 'A NIfTI datatype or feature that is not handled',
    action: 'Convert to a scalar datatype.',
    retryable: false,
    status: 422,
  },
  IMAGE_NOT_FINITE: {
    title: 'The image holds NaN or infinity',
    action: 'Find out which step made them.',
    retryable: false,
    status: 422,
  },
  IMAGE_DIMENSIONS: {
    title: 'The image has the wrong number or size of dimensions',
    action: 'Send a 3D T1 or a 3D/4D PET.',
    retryable: false,
    status: 422,
  },
  IMAGE_GEOMETRY: {
    title: 'The image says nothing sound about its place in space',
    action: 'Convert the scan again with its geometry.',
    retryable: false,
    status: 422,
  },
  IMAGE_MODALITY: {
    title: 'The image is of the wrong kind',
    action: 'Send an MR T1 or a PET as asked.',
    retryable: false,
    status: 422,
  },
  TRANSFORM_INVALID: {
    title: 'Not a transform that can be read',
    action: 'Send an ITK affine text file or a displacement field.',
    retryable: false,
    status: 422,
  },
} as const;
