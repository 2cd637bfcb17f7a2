"""The folder that `bench/src/segmenter/write-cases.ts` writes: label maps with the regions that were carried onto them.

    regions.json             {"labels": [0, 1, ...], "names": [...], "mirror": [...]}: atlas value and name of each channel, and
                             the channel of the same region on the other side
    <map>/structures.nii.gz  the label map: FreeSurfer's numbers, and numbers from 500 for the head outside the brain
    <map>/regions.nii.gz     the channel of each voxel, on the same grid
"""

import hashlib
import json
from pathlib import Path
from typing import NamedTuple

import nibabel as nib
import numpy as np

# FreeSurfer numbers the left side 2 to 31 (without 14, 15, 16, 24, 30) and the right side 41 to 63; LEFT_OF names the twin.
LEFT_OF = {
    41: 2, 42: 3, 43: 4, 44: 5, 46: 7, 47: 8, 49: 10, 50: 11, 51: 12, 52: 13, 53: 17, 54: 18, 57: 25, 58: 26, 60: 28, 62: 30, 63: 31,
    163: 136, 164: 137,
}  # fmt: skip
FLUID_AROUND_BRAIN = 24
FIRST_OUTSIDE_BRAIN = 500


class Regions(NamedTuple):
    labels: list[int]
    names: list[str]
    mirror: np.ndarray


class LabelMap(NamedTuple):
    """Voxel arrays are [R, A, S]; `to_voxel` brings RAS mm to voxel indices."""

    structures: np.ndarray  # index into `classes`
    regions: np.ndarray  # channel
    to_voxel: np.ndarray  # 4 x 4
    centre: np.ndarray  # of the brain, RAS mm


class Classes(NamedTuple):
    """Structures that share an intensity: left and right twins are one class."""

    numbers: np.ndarray  # FreeSurfer number of each class, ascending; class 0 is the air
    brain: np.ndarray  # whether a class lies in the brain


def read_regions(data: Path) -> Regions:
    found = json.loads((data / "regions.json").read_text())
    return Regions(found["labels"], found["names"], np.asarray(found["mirror"], np.int32))


def classes_of(data: Path, names: list[str]) -> Classes:
    numbers = {0}
    for name in names:
        present = np.unique(np.asarray(nib.load(data / name / "structures.nii.gz").dataobj)).astype(int)
        numbers.update(LEFT_OF.get(number, number) for number in present.tolist())
    ordered = np.asarray(sorted(numbers))
    return Classes(ordered, (ordered > 0) & (ordered < FIRST_OUTSIDE_BRAIN) & (ordered != FLUID_AROUND_BRAIN))


def read_map(data: Path, name: str, classes: Classes) -> LabelMap:
    """Structures that `classes` lacks, such as in a held-back map, are air."""
    image = nib.as_closest_canonical(nib.load(data / name / "structures.nii.gz"))
    regions = nib.as_closest_canonical(nib.load(data / name / "regions.nii.gz"))
    if image.shape != regions.shape or not np.allclose(image.affine, regions.affine, atol=1e-3):
        raise SystemExit(f"{name}: structures.nii.gz and regions.nii.gz lie on different grids")
    index = {int(number): k for k, number in enumerate(classes.numbers)}
    numbers = np.asarray(image.dataobj).astype(np.int64)
    table = np.zeros(int(numbers.max()) + 1, np.uint8)
    for number in np.unique(numbers).tolist():
        table[number] = index.get(LEFT_OF.get(number, number), 0)
    structures = table[numbers]
    inside = np.argwhere(classes.brain[structures])
    centre = image.affine[:3, :3] @ ((inside.min(0) + inside.max(0)) / 2) + image.affine[:3, 3]
    channels = np.asarray(regions.dataobj).astype(np.uint8)
    return LabelMap(structures, channels, np.linalg.inv(image.affine).astype(np.float32), centre.astype(np.float32))


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
