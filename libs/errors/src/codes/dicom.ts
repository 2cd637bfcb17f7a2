/** Codes of DICOM files, series and their conversion. */
export const dicomCodes = {
  DICOM_INVALID: {
    title: 'Not a DICOM file, or one that cannot be read',
    action: 'Export the named file again.',
    retryable: false,
    status: 422,
  },
  DICOM_TRUNCATED: {
    title: 'The DICOM file ends before its pixels do',
    action: 'Send the named file again.',
    retryable: false,
    status: 422,
  },
  DICOM_NO_PIXELS: {
    title: 'The DICOM object holds no image',
    action: 'Send images, not reports or presentation states.',
    retryable: false,
    status: 422,
  },
  DICOM_UNSUPPORTED: {
    title: 'A DICOM encoding that is not handled',
    action: 'Export the series uncompressed (Explicit VR Little Endian).',
    retryable: false,
    status: 422,
  },
  DICOM_NO_SERIES: {
    title: 'There is no DICOM series to convert',
    action: 'Check the folder, or name a series that is in it.',
    retryable: false,
    status: 422,
  },
  DICOM_SEVERAL_SERIES: {
    title: 'There are several series where one is expected',
    action: 'Name the series by its UID.',
    retryable: false,
    status: 422,
  },
  DICOM_SLICES_MISSING: {
    title: 'Slices of the series are missing',
    action: 'Send the complete series again, or allow single missing slices to be interpolated.',
    retryable: false,
    status: 422,
  },
  DICOM_ONE_SLICE: {
    title: 'The series is a single slice',
    action: 'Send the 3D series.',
    retryable: false,
    status: 422,
  },
  DICOM_GEOMETRY: {
    title: 'The slices do not make one volume',
    action: 'Send one series of parallel slices of one size, with positions and orientations.',
    retryable: false,
    status: 422,
  },
  DICOM_GANTRY_TILT: {
    title: 'The slices are sheared against each other by a gantry tilt',
    action: 'Send a series without tilt, or one corrected for it.',
    retryable: false,
    status: 422,
  },
  DICOM_LOCALIZER: {
    title: 'The series is a localiser',
    action: 'Send the 3D T1 or the PET series.',
    retryable: false,
    status: 422,
  },
  DICOM_CONVERSION_FAILED: {
    title: 'The DICOM series could not be converted',
    action: 'See the message; export the series again or uncompressed.',
    retryable: false,
    status: 422,
  },
  DICOM_CONVERSION_LIMIT: {
    title: 'The conversion ran out of its memory or time',
    action: 'Raise the limit if the series is right.',
    retryable: true,
    status: 500,
  },
} as const;
