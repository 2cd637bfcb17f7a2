/** ONNX messages by name: tensors, nodes, a graph, a model. Field numbers from onnx.proto (onnx/onnx, opset 17). */
import { bytes, concat, integer, message, string } from './protobuf.ts';

const FLOAT = 1;
const INT64 = 7;

export interface Tensor {
  readonly name: string;
  readonly encoded: Uint8Array;
}

/** Little-endian raw data, whatever the machine's order. */
function floatBytes(values: ArrayLike<number>): Uint8Array {
  const view = new DataView(new ArrayBuffer(values.length * 4));
  for (let k = 0; k < values.length; k++) view.setFloat32(4 * k, values[k] ?? 0, true);
  return new Uint8Array(view.buffer);
}

export function floats(name: string, shape: readonly number[], values: ArrayLike<number>): Tensor {
  const encoded = concat([
    ...shape.map((size) => integer(1, size)),
    integer(2, FLOAT),
    string(8, name),
    bytes(9, floatBytes(values)),
  ]);
  return { name, encoded };
}

export function integers(name: string, values: readonly number[]): Tensor {
  const view = new DataView(new ArrayBuffer(values.length * 8));
  values.forEach((value, k) => {
    view.setBigInt64(8 * k, BigInt(value), true);
  });
  const encoded = concat([
    integer(1, values.length),
    integer(2, INT64),
    string(8, name),
    bytes(9, new Uint8Array(view.buffer)),
  ]);
  return { name, encoded };
}

/** One operator with its inputs and single output; all attributes used here are left at their defaults. */
export const node = (operator: string, inputs: readonly string[], output: string): Uint8Array =>
  concat([...inputs.map((input) => string(1, input)), string(2, output), string(3, output), string(4, operator)]);

/** A float tensor at the border of the graph; a text dimension is free. */
function border(name: string, shape: readonly (number | string)[]): Uint8Array {
  const dimensions = shape.map((size) => message(1, [typeof size === 'number' ? integer(1, size) : string(2, size)]));
  return concat([string(1, name), message(2, [message(1, [integer(1, FLOAT), message(2, dimensions)])])]);
}

export interface Graph {
  readonly name: string;
  readonly nodes: readonly Uint8Array[];
  readonly tensors: readonly Tensor[];
  readonly inputs: readonly (readonly [name: string, shape: readonly (number | string)[]])[];
  readonly outputs: readonly (readonly [name: string, shape: readonly (number | string)[]])[];
}

export const IR_VERSION = 8;
export const OPSET = 17;

export function encodeModel(graph: Graph, metadata: Readonly<Record<string, string>>): Uint8Array {
  const body = concat([
    ...graph.nodes.map((each) => bytes(1, each)),
    string(2, graph.name),
    ...graph.tensors.map((tensor) => bytes(5, tensor.encoded)),
    ...graph.inputs.map(([name, shape]) => bytes(11, border(name, shape))),
    ...graph.outputs.map(([name, shape]) => bytes(12, border(name, shape))),
  ]);
  return concat([
    integer(1, IR_VERSION),
    string(2, 'engram'),
    bytes(7, body),
    message(8, [string(1, ''), integer(2, OPSET)]),
    ...Object.entries(metadata).map(([key, value]) => message(14, [string(1, key), string(2, value)])),
  ]);
}
