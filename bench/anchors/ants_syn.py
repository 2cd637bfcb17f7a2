"""ants_syn.py FIXED MOVING FOLDER: ANTs SyN with its defaults (affine by mutual information, then MI), total displacement."""
import json
import shutil
import sys

import ants

from measure import Stages

fixed, moving = (ants.image_read(path) for path in sys.argv[1:3])
folder = sys.argv[3]
stages = Stages()
found = ants.registration(fixed, moving, "SyN", outprefix=f"{folder}/ants_")
stages.done("deformable")
total = ants.apply_transforms(fixed, moving, found["fwdtransforms"], compose=f"{folder}/ants_total_")
shutil.move(total, f"{folder}/total.nii.gz")
stages.done("compose")
print(json.dumps(stages.report()))
