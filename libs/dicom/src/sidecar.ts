/** The BIDS sidecar of a converted series: acquisition facts, without what could tell who or where. */
export type Sidecar = Readonly<Record<string, unknown>>;

/** BIDS keys kept: everything a pipeline or a reviewer uses; names, sites, serial numbers, dates and UIDs are not listed. */
const KEPT = new Set([
  'Modality',
  'MagneticFieldStrength',
  'ImagingFrequency',
  'Manufacturer',
  'ManufacturersModelName',
  'BodyPartExamined',
  'PatientPosition',
  'SoftwareVersions',
  'MRAcquisitionType',
  'SeriesDescription',
  'ProtocolName',
  'ScanningSequence',
  'SequenceVariant',
  'ScanOptions',
  'SequenceName',
  'PulseSequenceName',
  'ImageType',
  'ImageTypeText',
  'NonlinearGradientCorrection',
  'SeriesNumber',
  'AcquisitionNumber',
  'SliceThickness',
  'SpacingBetweenSlices',
  'EchoTime',
  'EchoNumber',
  'RepetitionTime',
  'InversionTime',
  'FlipAngle',
  'PartialFourier',
  'BaseResolution',
  'PhaseResolution',
  'PixelBandwidth',
  'ParallelReductionFactorInPlane',
  'EchoTrainLength',
  'CoilString',
  'ReceiveCoilName',
  'ContrastBolusIngredient',
  'DiffusionScheme',
  'PhaseEncodingDirection',
  'ImageOrientationPatientDICOM',
  'Units',
  'Radiopharmaceutical',
  'TracerName',
  'TracerRadionuclide',
  'RadionuclidePositronFraction',
  'RadionuclideHalfLife',
  'InjectedRadioactivity',
  'DoseCalibrationFactor',
  'DecayCorrection',
  'DecayCorrected',
  'DecayFactor',
  'AttenuationCorrection',
  'AttenuationCorrectionMethod',
  'RandomsCorrectionMethod',
  'ScatterCorrectionMethod',
  'ScatterFraction',
  'ReconstructionMethod',
  'ReconMethodName',
  'ReconMethodParameterLabels',
  'ReconMethodParameterValues',
  'ReconFilterType',
  'ReconFilterSize',
  'ConvolutionKernel',
  'FrameTimesStart',
  'FrameDuration',
  'FrameReferenceTime',
  'SliceTiming',
  'ConversionSoftware',
  'ConversionSoftwareVersion',
]);

/** Only the keys listed above, in their order in the file; an unreadable sidecar is an empty one. */
export function cleanSidecar(json: string): Sidecar {
  try {
    const parsed: unknown = JSON.parse(json);
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return {};
    return Object.fromEntries(Object.entries(parsed).filter(([key]) => KEPT.has(key)));
  } catch {
    return {};
  }
}
