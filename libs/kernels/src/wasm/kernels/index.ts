// What the module exports: plain functions over byte pointers into one imported shared memory, `from`, `to` and
// `scratch` last. No heap, strings, static data or mutable globals, so that every thread may have its own instance.
export { adamDirection } from './adam';
export { addAttenuated } from './add-attenuated';
export { affine } from './affine';
export { affineWarp } from './affine-warp';
export { affineWarpNearest } from './affine-warp-nearest';
export { axpby } from './axpby';
export { compose } from './compose';
export { subsample } from './downsample';
export { extents, widenExtents } from './extents';
export { gaussianXy, gaussianZ } from './gaussian';
export { jacobian } from './jacobian';
export { lnccForce, lnccSums } from './lncc';
export { maxNorm } from './max-norm';
export { reduce } from './reduce';
export { samplePoints } from './sample-points';
export { squaredNorm } from './squared-norm';
export { warp } from './warp';
