"""greedy.py FIXED MOVING FOLDER: affine and deformable by local correlation, the total displacement to FOLDER/total.nii.gz."""
import json
import sys

from picsl_greedy import Greedy3D

from measure import Stages

fixed, moving, folder = sys.argv[1:4]
greedy = Greedy3D()
stages = Stages()
common = "-d 3 -threads 2 -float"
measure = "-m NCC 2x2x2 -n 100x50x10"
greedy.execute(f"{common} -a -dof 12 -i {fixed} {moving} -o {folder}/affine.mat {measure} -ia-image-centers")
stages.done("affine")
greedy.execute(f"{common} -i {fixed} {moving} -it {folder}/affine.mat -o {folder}/warp.nii.gz {measure}")
stages.done("deformable")
greedy.execute(f"{common} -rf {fixed} -r {folder}/affine.mat -rc {folder}/affine.nii.gz")
greedy.execute(f"{common} -rf {fixed} -r {folder}/warp.nii.gz {folder}/affine.mat -rc {folder}/total.nii.gz")
stages.done("compose")
print(json.dumps(stages.report()))
