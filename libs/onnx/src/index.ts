/**
 * ONNX files, without a runtime: reading a model folder with its manifest, writing a small graph.
 *
 * @example
 * const { manifest, bytes } = await readModelFolder(folder, schema);
 * const session = await InferenceSession.create(bytes);
 * @module
 */
export { encodeModel, floats, type Graph, IR_VERSION, integers, node, OPSET, type Tensor } from './graph.ts';
export { type ModelFile, readModelFolder } from './read-model-folder.ts';
