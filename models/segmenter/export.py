"""Writes a trained run as a folder that Engram takes: `model.onnx` and `manifest.json`.

    python export.py --run run --out my-segmenter --name my-segmenter --version 1
    ENGRAM_SEGMENTER=my-segmenter npx engram doctor
"""

import argparse
import hashlib
import json
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import checkpoint
from network import EPSILON, IMAGE, KERNEL, LOGITS, POSTERIORS, Operator, Shape, forward, graph
from synthesise import Ranges

OPSET, IR_VERSION = 17, 8
GOLDEN_VALUES = 997  # about so many values of the golden case are kept
TOLERANCE = 1e-3  # two runtimes' orders of summation, through some twenty convolutions in single precision
STATEMENT = (
    "Trained on simulated images only, made of label maps whose target regions were carried there by registration "
    "(silver standard). Research use only; not validated on patients."
)


def node_of(operator: Operator):
    """The operator as one ONNX node."""
    name, inputs = operator.output, list(operator.inputs)
    if operator.kind in KERNEL:
        edge = KERNEL[operator.kind]
        own = [f"{name}.weights", f"{name}.bias"]
        return helper.make_node("Conv", inputs + own, [name], kernel_shape=[edge] * 3, pads=[edge // 2] * 6)
    if operator.kind == "norm":
        own = [f"{name}.scale", f"{name}.shift"]
        return helper.make_node("InstanceNormalization", inputs + own, [name], epsilon=EPSILON)
    if operator.kind == "double":
        modes = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
        return helper.make_node("Resize", [*inputs, "", "twice"], [name], **modes)
    if operator.kind == "pool":
        return helper.make_node("MaxPool", inputs, [name], kernel_shape=[2] * 3, strides=[2] * 3)
    if operator.kind == "concat":
        return helper.make_node("Concat", inputs, [name], axis=1)
    return helper.make_node("Relu", inputs, [name])


def onnx_of(parameters, shape: Shape) -> bytes:
    nodes = [node_of(operator) for operator in graph(shape)]
    nodes.append(helper.make_node("Softmax", [LOGITS], [POSTERIORS], axis=1))
    tensors = [
        numpy_helper.from_array(np.asarray(array, np.float32), f"{operator}.{name}")
        for operator, own in parameters.items()
        for name, array in own.items()
    ]
    tensors.append(numpy_helper.from_array(np.asarray([1, 1, 2, 2, 2], np.float32), "twice"))

    def border(name: str, channels: int):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, channels, "S", "A", "R"])

    body = helper.make_graph(nodes, "segmenter", [border(IMAGE, 1)], [border(POSTERIORS, shape.outputs)], tensors)
    model = helper.make_model(
        body, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="engram"
    )
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString(deterministic=True)


def golden_of(parameters, shape: Shape) -> dict:
    """What the arithmetic of `network.py` makes of an image by formula; Engram asks its own runtime for the same."""
    size = [2 * shape.divisor] * 3
    image = ((7919 * np.arange(np.prod(size))) % 1000 / 999).astype(np.float32).reshape(size)
    logits = forward(parameters, shape, jnp.asarray(image)[None, None])
    posteriors = np.asarray(jax.nn.softmax(logits, axis=1)).reshape(-1)
    every = max(1, posteriors.size // GOLDEN_VALUES)
    return {
        "formula": "((7919 i) mod 1000) / 999",
        "shape": size,
        "every": every,
        "values": [float(f"{value:.7g}") for value in posteriors[::every]],
        "tolerance": TOLERANCE,
    }


def manifest_of(run: dict, name: str, version: str, step: int, model: bytes, golden: dict, divisor: int) -> dict:
    low, high = Ranges().percentiles
    made_of = ("seed", "rate", "channels", "levels", "grid", "maps", "files", "code_sha256")
    return {
        "schema": "engram/segmenter/1",
        "name": name,
        "version": version,
        "statement": STATEMENT,
        "file": "model.onnx",
        "sha256": hashlib.sha256(model).hexdigest(),
        "opset": OPSET,
        "input": {
            "name": IMAGE,
            "axes": "SAR",
            "spacing_mm": run["spacing_mm"],
            "divisor": divisor,
            "normalisation": {"kind": "percentiles", "within": "brain", "low": low, "high": high},
        },
        "output": {"name": POSTERIORS, "labels": run["labels"]},
        "golden": golden,
        "provenance": {"steps": step, **{field: run[field] for field in made_of}},
    }


def main(words: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--run", type=Path, required=True, help="folder of train.py")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--name", default="segmenter")
    parser.add_argument("--version", required=True)
    arguments = parser.parse_args(words)
    run, shape, step, parameters = checkpoint.trained(arguments.run)
    model = onnx_of(parameters, shape)
    golden = golden_of(parameters, shape)
    manifest = manifest_of(run, arguments.name, arguments.version, step, model, golden, shape.divisor)
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / "model.onnx").write_bytes(model)
    (arguments.out / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
    print(f"{arguments.out}: {len(model)} bytes after {step} steps", file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1:])
