/** Codes of the FHIR port and of what arrives through it. */
export const fhirCodes = {
  FHIR_CONFLICT: {
    title: 'The FHIR resource changed meanwhile, or its condition matches several',
    action: 'Read it again and retry; make an identifier unique.',
    retryable: true,
    status: 409,
  },
  FHIR_NOT_FOUND: {
    title: 'The FHIR server has no such resource',
    action: 'Check the reference.',
    retryable: false,
    status: 404,
  },
  FHIR_GONE: {
    title: 'The FHIR resource was deleted',
    action: 'Nothing: what was derived from it is withdrawn.',
    retryable: false,
    status: 410,
  },
  FHIR_INVALID: {
    title: 'The FHIR server does not accept the request or resource',
    action: 'See the diagnostics; correct the named element.',
    retryable: false,
    status: 422,
  },
  FHIR_REFUSED: {
    title: 'The FHIR server does not let this client in',
    action: "Check the client's token and scopes.",
    retryable: false,
    status: 502,
  },
  SIGNATURE_INVALID: {
    title: 'The notification is not signed with the shared secret',
    action: 'Give sender and receiver the same secret.',
    retryable: false,
    status: 401,
  },
  NOTIFICATION_INVALID: {
    title: 'Not a notification of a known form',
    action: "See the Subscription's channel.",
    retryable: false,
    status: 400,
  },
  STUDY_UID_MISSING: {
    title: 'The ImagingStudy has no Study Instance UID',
    action: 'Give it an identifier of system urn:dicom:uid.',
    retryable: false,
    status: 422,
  },
  STUDY_SUBJECT_MISSING: {
    title: 'The ImagingStudy has no patient',
    action: 'Give it a subject that refers to a Patient of this server.',
    retryable: false,
    status: 422,
  },
  STUDY_DATE_MISSING: {
    title: 'The study says no date',
    action: 'Give the ImagingStudy or its T1 series a started date.',
    retryable: false,
    status: 422,
  },
  STUDY_NO_IMAGES: {
    title: 'Nothing says where the images lie',
    action: 'Give the study a DICOMweb Endpoint or an allow-listed image URL.',
    retryable: false,
    status: 422,
  },
  STUDY_UNSUITABLE: {
    title: 'The study holds no series that a pipeline can use',
    action: 'See the reason of each series.',
    retryable: false,
    status: 422,
  },
  SESSION_NOT_FOUND: {
    title: 'The session is not known',
    action: 'Check the session id.',
    retryable: false,
    status: 404,
  },
} as const;
