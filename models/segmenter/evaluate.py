"""Dice on held-back label maps.

    python evaluate.py --run run --data cases --maps 07 11 13

Two tables, as JSON on stdout with --json. `regions`: the network on synthesised images of the undeformed maps, against the
regions that registration carried there, which are a silver standard. `structures`: labels that the whole pipeline gave on the
same phantom T1s with the registered atlas (`route`) and with the network (`network`), as write-cases.ts leaves them, against
FreeSurfer's own numbers, where atlas and FreeSurfer mean the same structure. Only the second can tell which route is better.
"""

import argparse
import json
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import nibabel as nib
import numpy as np

import checkpoint
from dataset import Regions, classes_of, read_map, read_regions
from network import forward
from synthesise import offsets, sampled, scanned, Ranges

# Regions of the atlas that FreeSurfer has too. Their borders are drawn by other rules: Dice compares routes, not standards.
SAME_STRUCTURE = {
    "Hippocampus_L": (17,), "Hippocampus_R": (53,), "Amygdala_L": (18,), "Amygdala_R": (54,),
    "Caudate_L": (11,), "Caudate_R": (50,), "Putamen_L": (12,), "Putamen_R": (51,),
    "Pallidum_L": (13,), "Pallidum_R": (52,), "Thalamus_L": (10,), "Thalamus_R": (49,),
    "Cerebellum_L": (7, 8), "Cerebellum_R": (46, 47),
}  # fmt: skip


def dice(a: np.ndarray, b: np.ndarray) -> float | None:
    size = int(a.sum()) + int(b.sum())
    return None if size == 0 else float(2 * (a & b).sum() / size)


def on_synthesised(arguments, regions: Regions) -> dict[str, dict[str, float]]:
    """Mean Dice of each region over --images contrasts of each map."""
    run, shape, _, parameters = checkpoint.trained(arguments.run)
    classes = classes_of(arguments.data, run["maps"])
    grid, spacing = tuple(run["grid"]), run["spacing_mm"]

    @jax.jit
    def labelled(key, structures):
        image = scanned(key, structures, classes, spacing, Ranges())
        return forward(parameters, shape, image[None, None])[0].argmax(axis=0)

    out = {}
    for name in arguments.maps:
        structures, truth = sampled(read_map(arguments.data, name, classes), offsets(grid, spacing))
        keys = jax.random.split(jax.random.key(arguments.seed), arguments.images)
        found = [np.asarray(labelled(key, structures)) for key in keys]
        truth = np.asarray(truth)
        scores = {}
        for channel, region in enumerate(regions.names):
            values = [dice(labels == channel, truth == channel) for labels in found]
            if channel > 0 and None not in values:
                scores[region] = float(np.mean(values))
        out[name] = scores
    return out


def on_phantoms(arguments, regions: Regions) -> dict[str, dict[str, dict[str, float]]]:
    """Dice of each structure by map and contrast, and by route: only for the cases that were written."""
    value = dict(zip(regions.names, regions.labels, strict=True))
    out = {}
    for name in arguments.maps:
        truth = np.asarray(nib.load(arguments.data / name / "structures.nii.gz").dataobj)
        for file in sorted((arguments.data / name).glob("*/*.nii.gz")):
            labels = np.asarray(nib.load(file).dataobj)
            route = file.name.removesuffix(".nii.gz")
            scores = out.setdefault(f"{name} {file.parent.name}", {})
            for region, numbers in SAME_STRUCTURE.items():
                # The atlas numbers a cerebellar hemisphere's lobules by every second value up to 108.
                values = range(value[region], 109, 2) if region.startswith("Cerebellum") else (value[region],)
                score = dice(np.isin(labels, list(values)), np.isin(truth, numbers))
                scores.setdefault(region, {})[route] = score
    return out


def shown(regions, structures) -> str:
    lines = []
    for name, scores in regions.items():
        values = np.asarray(list(scores.values()))
        lines.append(f"map {name}, synthesised: mean Dice {values.mean():.3f} of {values.size} regions, least {values.min():.3f}")
    for case, scores in structures.items():
        routes = sorted({route for by_route in scores.values() for route in by_route})
        lines.append(f"map {case}: {', '.join(routes)}")
        for region, by_route in scores.items():
            lines.append(f"  {region:14}" + "".join(f"{by_route.get(route) or 0:8.3f}" for route in routes))
    return "\n".join(lines)


def main(words: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--run", type=Path, required=True, help="folder of train.py")
    parser.add_argument("--data", type=Path, required=True, help="folder of write-cases.ts")
    parser.add_argument("--maps", nargs="+", required=True, help="held-back label maps")
    parser.add_argument("--images", type=int, default=4, help="synthesised images of each map")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args(words)
    trained_on = set(arguments.maps) & set((checkpoint.read_run(arguments.run) or {}).get("maps", []))
    if trained_on:
        raise SystemExit(f"--maps: the run was trained on {', '.join(sorted(trained_on))}")
    regions = read_regions(arguments.data)
    tables = on_synthesised(arguments, regions), on_phantoms(arguments, regions)
    print(json.dumps(dict(zip(("regions", "structures"), tables, strict=True))) if arguments.json else shown(*tables))


if __name__ == "__main__":
    main(sys.argv[1:])
