"""greedy_template.py HEAD TEMPLATE FOLDER: a template's head onto another by an affine, two levels; its displacement to FOLDER/affine.nii.gz."""
import json
import sys

from picsl_greedy import Greedy3D

from measure import Stages

head, template, folder = sys.argv[1:4]
greedy = Greedy3D()
stages = Stages()
common = "-d 3 -threads 2 -float"
greedy.execute(
    f"{common} -a -dof 12 -i {head} {template} -o {folder}/affine.mat -m NCC 2x2x2 -n 100x50x0 -ia-image-centers"
)
stages.done("affine")
greedy.execute(f"{common} -rf {head} -r {folder}/affine.mat -rc {folder}/affine.nii.gz")
print(json.dumps(stages.report()))
