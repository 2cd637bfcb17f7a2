/** Codes of this area; see catalogue.ts. */
export const imagingCodes = {
  IMAGE_NOT_3D: {
    title: 'The image has several frames',
    action: 'Give one frame, or average the frames first.',
    retryable: false,
    status: 422,
  },
  IMAGE_EMPTY: {
    title: 'The image holds too little signal',
    action: 'Check that the right series was exported.',
    retryable: false,
    status: 422,
  },
  MASK_GRID_MISMATCH: {
    title: 'Mask and image lie on different grids',
    action: 'Resample the mask onto the grid of the image.',
    retryable: false,
    status: 422,
  },
  NOT_A_HEAD: {
    title: 'The image does not show a head',
    action: 'Check that a T1 of the head was sent and that its orientation is right.',
    retryable: false,
    status: 422,
  },
  TISSUE_NOT_SEPARABLE: {
    title: 'No three tissues can be told apart in the brain',
    action: 'Check that the image is T1-weighted and the brain mask right.',
    retryable: false,
    status: 422,
  },
  REGISTRATION_FAILED: {
    title: 'Two images could not be brought into register',
    action:
      'Check that both show the same part of the body, and that neither is cut off or turned upside down by its header.',
    retryable: false,
    status: 422,
  },
  SUVR_REFERENCE_EMPTY: {
    title: 'The reference region has no usable uptake',
    action: 'Check the alignment of PET and T1 and that the PET covers the cerebellum.',
    retryable: false,
    status: 422,
  },
  PET_FRAME_INVALID: {
    title: 'A frame of the PET holds values that are not numbers',
    action: 'Export the series again, or leave the frame out.',
    retryable: false,
    status: 422,
  },
  PET_TIMING_INVALID: {
    title: 'The frame times do not fit the PET image',
    action: 'Give one start and one positive duration per frame, in seconds.',
    retryable: false,
    status: 422,
  },
  DEVICE_OUT_OF_MEMORY: {
    title: 'The compute device has no memory left for this image',
    action: 'Raise the memory limit, lower the number of runs at a time, take the wasm device, or use a coarser image.',
    retryable: true,
    status: 503,
  },
  DEVICE_UNAVAILABLE: {
    title: 'The compute device asked for is not available',
    action: 'Run `npm run setup` to build the kernels, or choose another device; `engram doctor` lists them.',
    retryable: false,
    status: 503,
  },
  DEVICE_LOST: {
    title: 'The graphics device stopped answering: its driver was reset, or it was taken away',
    action: 'Run again. If it happens again, update the graphics driver or take the wasm device.',
    retryable: true,
    status: 503,
  },
  DEVICE_BUFFER_INVALID: {
    title: 'A device buffer was used after it was freed, on another device, or with a shape that does not fit it',
    action: 'Report this as a defect.',
    retryable: false,
    status: 500,
  },
} as const;
