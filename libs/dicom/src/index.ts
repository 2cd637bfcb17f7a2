/**
 * DICOM: what a series is, whether it makes one sound volume, which of a study's series are the T1 and the PET, its NIfTI
 * image, and a DICOMweb client.
 * @module
 */
export { type CheckOptions, checkSeries, type SeriesCheck } from './check-series.ts';
export { chooseSeries, type SeriesChoice, type SeriesDecision } from './choose-series.ts';
export { type ConvertedSeries, type ConvertOptions, convertChecked, convertSeries } from './convert-series.ts';
export {
  createDicomWeb,
  DICOMWEB_LIMITS,
  type DicomJson,
  type DicomWeb,
  type DicomWebLimits,
  type DicomWebOptions,
  type FetchLike,
  type FetchRequest,
  type FetchResponse,
  type Retrieved,
} from './dicomweb.ts';
export { type Code, type Instance, instanceOf, type Plane } from './instance.ts';
export { type PetTiming, petTimingOf, petTimingOfSidecar } from './pet-timing.ts';
export { isDicom } from './read-dataset.ts';
export {
  type DicomFile,
  type DicomFolder,
  type DicomSeries,
  type FolderLimits,
  readDicomHeaders,
} from './read-headers.ts';
export { CONVERTER_LIMITS, type ConverterLimits } from './run-converter.ts';
export { sanitisePreamble } from './sanitise-preamble.ts';
export {
  factsOfImagingStudy,
  factsOfMetadata,
  factsOfSeries,
  type ImagingStudySeries,
  type SeriesFacts,
  UNKNOWN,
} from './series-facts.ts';
export type { Sidecar } from './sidecar.ts';
export { TRACERS, type Tracer, type TracerFinding, tracerOf, tracerOfName } from './tracer.ts';
