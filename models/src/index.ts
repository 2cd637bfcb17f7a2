/**
 * The forecast model: its inputs, its outputs, and the code that simulates, fits, exports and checks it.
 *
 * @example
 * const model = await loadModel(fileURLToPath(DEFAULT_MODEL));
 * const outcomes = outcomesOf(await model.predict(inputVector(history)), model.manifest.marginal_width_80);
 * @module
 */
export { type History, type ImagingAt, SCORE_RANGE, type ScoreAt } from './inputs/history.ts';
export { INPUT_NAMES, inputVector, type Stage, stageOf } from './inputs/input-vector.ts';
export { amyloidMean, fdgGroupMeans, mriGroupRatios, tracerKind } from './inputs/region-groups.ts';
export { DEFAULT_MODEL, loadModel, type ProgressionModel } from './load-model.ts';
export { type ModelManifest, modelManifest } from './manifest.ts';
export { type HorizonOutcome, type Interval, outcomesOf, type ScoreOutcome } from './outcome.ts';
export { type ModelFiles, TRAIN_DEFAULTS, type TrainOptions, trainProgression } from './train-progression.ts';
