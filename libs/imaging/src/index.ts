/**
 * Image algorithms over the device interface: one verb a file, no input or output of files.
 *
 * @module
 */
export { type BiasOptions, type BiasResult, correctBias } from './bias/correct-bias.ts';
export { type ExtractedBrain, type ExtractOptions, extractBrain } from './brain/extract-brain.ts';
export { type BrainTemplate, type PrepareOptions, prepareTemplate, signedDistance } from './brain/prepare-template.ts';
export { type Box, boxAround, cropLabels, cropMask, cropVolume, uncropInto } from './crop.ts';
export { composeAffineField, type VoxelField } from './deformable/compose-affine-field.ts';
export { type Consistency, inverseConsistency } from './deformable/inverse-consistency.ts';
export { jacobianDeterminant } from './deformable/jacobian-determinant.ts';
export type { LevelReport, PyramidOptions } from './deformable/optimise-pyramid.ts';
export {
  type DeformableOptions,
  type DeformableReport,
  type DeformableResult,
  registerDeformable,
} from './deformable/register-deformable.ts';
export { headSizeMl } from './features/head-size.ts';
export { type RegionMeans, regionMeans } from './features/region-means.ts';
export { type RegionOfLabels, regionVolumes } from './features/region-volumes.ts';
export {
  type LinearOptions,
  type LinearResult,
  registerAffine,
  registerLinear,
  registerRigid,
} from './linear/register-linear.ts';
export type { DegreesOfFreedom } from './linear/transform.ts';
export { type Components, components } from './morphology/components.ts';
export type { Connectivity } from './morphology/connectivity.ts';
export { dilate, type MorphologyOptions } from './morphology/dilate.ts';
export { erode } from './morphology/erode.ts';
export { fillHoles } from './morphology/fill-holes.ts';
export { largestComponent } from './morphology/largest-component.ts';
export { type AlignOptions, alignPetToT1, type PetAlignment } from './pet/align-pet-to-t1.ts';
export { type AverageOptions, type AverageResult, averageFrames } from './pet/average-frames.ts';
export type { FrameTiming } from './pet/choose-frames.ts';
export { computeSuvr, type SuvrOptions, type SuvrResult } from './pet/compute-suvr.ts';
export { type TracerWindow, tracerWindow } from './pet/tracer-windows.ts';
export {
  judge,
  type QualityMetric,
  reasonsOf,
  rounded,
  type Thresholds,
  type Verdict,
  worst,
} from './quality/metric.ts';
export { assessMotion, type Motion, type MotionArtifacts } from './quality/motion.ts';
export { type PetQualityInput, petQuality } from './quality/pet-quality.ts';
export {
  type RegistrationGrade,
  type RegistrationQuality,
  type RegistrationQualityInput,
  registrationQuality,
} from './quality/registration-quality.ts';
export { type T1QualityInput, t1Quality } from './quality/t1-quality.ts';
export { type ResampleOptions, resample, resampleLabels, resampleMask, type Transform } from './resample.ts';
export { findVentricles, type VentricleOptions, type Ventricles } from './tissue/find-ventricles.ts';
export { segmentTissue, type TissueOptions, type TissuePriors, type TissueResult } from './tissue/segment-tissue.ts';
