"""A training run's folder: what it was told (`run.json`) and how far it is (`checkpoint.npz`)."""

import json
import os
from pathlib import Path
from typing import Any

import jax
import numpy as np

from network import Shape, initial

RUN, CHECKPOINT = "run.json", "checkpoint.npz"


def write_run(folder: Path, settings: dict[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / RUN).write_text(json.dumps(settings, indent=1) + "\n")


def read_run(folder: Path) -> dict[str, Any] | None:
    path = folder / RUN
    return json.loads(path.read_text()) if path.exists() else None


def save(folder: Path, step: int, state: Any) -> None:
    """Whole or not at all: a run that is killed while it saves goes on from the checkpoint before."""
    leaves = {f"leaf{k}": np.asarray(leaf) for k, leaf in enumerate(jax.tree.leaves(state))}
    part = folder / f"{CHECKPOINT}.part"
    with part.open("wb") as file:
        np.savez(file, step=step, **leaves)
    os.replace(part, folder / CHECKPOINT)


def load(folder: Path, like: Any) -> tuple[int, Any]:
    """Step and state, in the structure of `like`; step 0 and `like` itself where nothing was saved yet."""
    path = folder / CHECKPOINT
    if not path.exists():
        return 0, like
    with np.load(path) as saved:
        leaves, structure = jax.tree.flatten(like)
        found = [jax.numpy.asarray(saved[f"leaf{k}"]) for k in range(len(leaves))]
        return int(saved["step"]), jax.tree.unflatten(structure, found)


def trained(folder: Path) -> tuple[dict[str, Any], Shape, int, Any]:
    """Settings, structure, step and parameters of a run."""
    run = read_run(folder)
    if run is None or not (folder / CHECKPOINT).exists():
        raise SystemExit(f"{folder} holds no training run: train.py writes one")
    shape = Shape(run["channels"], run["levels"], len(run["labels"]))
    # The optimiser's state follows the parameters in the checkpoint and is left there.
    step, parameters = load(folder, initial(jax.random.key(0), shape))
    return run, shape, step, parameters
