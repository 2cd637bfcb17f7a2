"""A 3D U-Net: its graph, written down once, and the arithmetic of its operators in JAX.

`graph` lists the operators in order; `forward` runs them here and `export.py` writes the same list as ONNX, so that neither
can drift from the other. After Ronneberger et al. 2015 and Çiçek et al. 2016, with instance normalisation (Ulyanov et al. 2016).

Tensors are [batch, channel, S, A, R]; parameters are {operator: {name: array}}.
"""

from collections.abc import Iterator
from typing import NamedTuple

import jax
import jax.numpy as jnp

IMAGE, LOGITS, POSTERIORS = "image", "logits", "posteriors"
EPSILON = 1e-5
KERNEL = {"conv": 3, "head": 1}


class Shape(NamedTuple):
    """What fixes the network's structure."""

    channels: int  # of the first level; each level below has twice as many
    levels: int
    outputs: int

    @property
    def divisor(self) -> int:
        """Each size of a grid is a multiple of this."""
        return 2 ** (self.levels - 1)


class Operator(NamedTuple):
    kind: str  # conv, head, norm, relu, pool, double or concat
    output: str
    inputs: tuple[str, ...]
    channels: tuple[int, int] = (0, 0)  # in and out, where it has parameters


def graph(shape: Shape) -> Iterator[Operator]:
    """The operators from `image` to `logits`, in an order in which they can run."""
    width = [shape.channels * 2**level for level in range(shape.levels)]

    def block(name: str, source: str, incoming: int, outgoing: int) -> Iterator[Operator]:
        for half, (taken, channels) in enumerate(((source, incoming), (f"{name}.0.relu", outgoing))):
            stem = f"{name}.{half}"
            yield Operator("conv", f"{stem}.conv", (taken,), (channels, outgoing))
            yield Operator("norm", f"{stem}.norm", (f"{stem}.conv",), (outgoing, outgoing))
            yield Operator("relu", f"{stem}.relu", (f"{stem}.norm",))

    source, incoming = IMAGE, 1
    for level in range(shape.levels):
        if level > 0:
            yield Operator("pool", f"down{level}.pool", (source,))
            source = f"down{level}.pool"
        yield from block(f"down{level}", source, incoming, width[level])
        source, incoming = f"down{level}.1.relu", width[level]
    for level in reversed(range(shape.levels - 1)):
        yield Operator("double", f"up{level}.double", (source,))
        yield Operator("concat", f"up{level}.concat", (f"down{level}.1.relu", f"up{level}.double"))
        yield from block(f"up{level}", f"up{level}.concat", width[level] + incoming, width[level])
        source, incoming = f"up{level}.1.relu", width[level]
    yield Operator("head", LOGITS, (source,), (incoming, shape.outputs))


def initial(key: jax.Array, shape: Shape) -> dict[str, dict[str, jax.Array]]:
    """Weights after He et al. 2015, the head's smaller, so that the first posteriors are nearly even."""
    parameters = {}
    for operator in graph(shape):
        incoming, outgoing = operator.channels
        if operator.kind in KERNEL:
            key, own = jax.random.split(key)
            edge = KERNEL[operator.kind]
            gain = 2.0 if operator.kind == "conv" else 0.01
            spread = (gain / (incoming * edge**3)) ** 0.5
            weights = spread * jax.random.normal(own, (outgoing, incoming, edge, edge, edge))
            parameters[operator.output] = {"weights": weights, "bias": jnp.zeros(outgoing)}
        elif operator.kind == "norm":
            parameters[operator.output] = {"scale": jnp.ones(outgoing), "shift": jnp.zeros(outgoing)}
    return parameters


def _conv(own, x):
    dimensions = ("NCDHW", "OIDHW", "NCDHW")
    y = jax.lax.conv_general_dilated(x, own["weights"], (1, 1, 1), "SAME", dimension_numbers=dimensions)
    return y + own["bias"][:, None, None, None]


def _norm(own, x):
    mean = x.mean(axis=(2, 3, 4), keepdims=True)
    variance = x.var(axis=(2, 3, 4), keepdims=True)
    scale, shift = (own[name][:, None, None, None] for name in ("scale", "shift"))
    return scale * (x - mean) / jnp.sqrt(variance + EPSILON) + shift


def _pool(_, x):
    return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 1, 2, 2, 2), (1, 1, 2, 2, 2), "VALID")


def _double(_, x):
    for axis in (2, 3, 4):
        x = jnp.repeat(x, 2, axis)
    return x


ARITHMETIC = {
    "conv": _conv,
    "head": _conv,
    "norm": _norm,
    "relu": lambda _, x: jnp.maximum(x, 0),
    "pool": _pool,
    "double": _double,
    "concat": lambda _, *parts: jnp.concatenate(parts, axis=1),
}


def forward(parameters, shape: Shape, image: jax.Array) -> jax.Array:
    """Logits [batch, output, S, A, R] of images [batch, 1, S, A, R]."""
    values = {IMAGE: image}
    for operator in graph(shape):
        inputs = (values[name] for name in operator.inputs)
        values[operator.output] = ARITHMETIC[operator.kind](parameters.get(operator.output), *inputs)
    return values[LOGITS]
