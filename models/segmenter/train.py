"""Trains the segmenter on synthesised images only.

    python train.py --data cases --maps 03 05 --out run --steps 100000

Stopped and started again with the same words it goes on where it was: step k sees the same image either way, because its key
is made of the seed and k.
"""

import argparse
import hashlib
import json
import sys
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import optax

import checkpoint
from dataset import Classes, LabelMap, Regions, classes_of, read_map, read_regions, sha256
from network import Shape, forward, initial
from synthesise import synthesise

SMOOTHING = 1.0  # voxels; keeps the Dice of a region that an image does not show defined


def segmentation_loss(logits: jax.Array, channels: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Cross entropy plus one minus the mean soft Dice (Milletari et al. 2016) over the channels that the image shows.

    logits [channel, S, A, R], channels [S, A, R]. Also gives the mean soft Dice.
    """
    count = logits.shape[0]
    logarithms = jax.nn.log_softmax(logits, axis=0).reshape(count, -1)
    truth = channels.reshape(-1)
    of_truth = jnp.take_along_axis(logarithms, truth[None], axis=0)[0]
    common = jax.ops.segment_sum(jnp.exp(of_truth), truth, count)
    size = jnp.bincount(truth, length=count)
    dice = (2 * common + SMOOTHING) / (jnp.exp(logarithms).sum(axis=1) + size + SMOOTHING)
    mean_dice = jnp.where(size > 0, dice, 0).sum() / (size > 0).sum()
    return 1 - mean_dice - of_truth.mean(), mean_dice


def one_step(shape: Shape, classes: Classes, regions: Regions, settings: dict, optimiser):
    """A jitted function (parameters, optimiser state, key, label map) → (parameters, state, loss, Dice)."""
    grid, spacing = tuple(settings["grid"]), settings["spacing_mm"]

    def loss_of(parameters, key, case: LabelMap):
        image, channels = synthesise(key, case, classes, regions.mirror, grid, spacing)
        return segmentation_loss(forward(parameters, shape, image[None, None])[0], channels)

    @jax.jit
    def step(parameters, state, key, case: LabelMap):
        (loss, dice), gradient = jax.value_and_grad(loss_of, has_aux=True)(parameters, key, case)
        change, state = optimiser.update(gradient, state)
        return optax.apply_updates(parameters, change), state, loss, dice

    return step


def settings_of(arguments, regions: Regions) -> dict:
    """Everything that the result depends on, for `run.json` and the manifest."""
    code = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py"))))
    files = [f"{name}/{file}.nii.gz" for name in arguments.maps for file in ("structures", "regions")]
    return {
        "channels": arguments.channels,
        "levels": arguments.levels,
        "grid": arguments.grid,
        "spacing_mm": arguments.spacing,
        "rate": arguments.rate,
        "seed": arguments.seed,
        "labels": regions.labels,
        "maps": arguments.maps,
        "files": {file: sha256(arguments.data / file) for file in files},
        "code_sha256": code.hexdigest(),
    }


def parsed(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of write-cases.ts")
    parser.add_argument("--maps", nargs="+", required=True, help="label maps to train on; the others are held back")
    parser.add_argument("--out", type=Path, required=True, help="folder of this run")
    parser.add_argument("--steps", type=int, required=True, help="up to which step")
    parser.add_argument("--seed", type=int, default=20261121)
    parser.add_argument("--channels", type=int, default=24, help="of the first level")
    parser.add_argument("--levels", type=int, default=4)
    parser.add_argument("--grid", type=int, nargs=3, default=[96, 112, 96], metavar=("S", "A", "R"), help="voxels")
    parser.add_argument("--spacing", type=float, default=2.0, help="edge of a voxel, mm")
    parser.add_argument("--rate", type=float, default=1e-3, help="of Adam")
    parser.add_argument("--every", type=int, default=500, help="steps between checkpoints")
    return parser.parse_args(words)


def main(words: list[str]) -> None:
    arguments = parsed(words)
    regions = read_regions(arguments.data)
    shape = Shape(arguments.channels, arguments.levels, len(regions.labels))
    if any(size % shape.divisor for size in arguments.grid):
        raise SystemExit(f"--grid: each size must be a multiple of {shape.divisor} with {shape.levels} levels")
    settings = settings_of(arguments, regions)
    before = checkpoint.read_run(arguments.out)
    if before is not None and before != json.loads(json.dumps(settings)):
        changed = [name for name, value in settings.items() if before.get(name) != value]
        raise SystemExit(f"{arguments.out} holds a run with another {', '.join(changed)}: choose another --out")
    checkpoint.write_run(arguments.out, settings)

    classes = classes_of(arguments.data, arguments.maps)
    cases = [jax.device_put(read_map(arguments.data, name, classes)) for name in arguments.maps]
    seed, start = jax.random.split(jax.random.key(arguments.seed))
    optimiser = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(arguments.rate))
    parameters = initial(start, shape)
    first, (parameters, state) = checkpoint.load(arguments.out, (parameters, optimiser.init(parameters)))
    step = one_step(shape, classes, regions, settings, optimiser)
    print(f"{jax.devices()[0].device_kind}, steps {first} to {arguments.steps}", file=sys.stderr)

    clock = time.monotonic()
    for k in range(first, arguments.steps):
        which, key = jax.random.split(jax.random.fold_in(seed, k))
        case = cases[int(jax.random.randint(which, (), 0, len(cases)))]
        parameters, state, loss, dice = step(parameters, state, key, case)
        done = k + 1
        if done % arguments.every == 0 or done == arguments.steps:
            checkpoint.save(arguments.out, done, (parameters, state))
        if done % max(1, min(arguments.every, arguments.steps // 20)) == 0 or done == arguments.steps:
            seconds = time.monotonic() - clock
            print(f"step {done} loss {loss:.6f} dice {dice:.4f} seconds {seconds:.1f}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
