"""sitk_n4.py IMAGE MASK OUT: N4 at shrink 4 with 4 x 50 iterations; the log bias field in full size to OUT."""
import json
import sys

import SimpleITK as sitk

from measure import Stages

image_path, mask_path, out = sys.argv[1:4]
sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(2)
image = sitk.ReadImage(image_path, sitk.sitkFloat32)
mask = sitk.Cast(sitk.ReadImage(mask_path) > 0, sitk.sitkUInt8)
stages = Stages()
corrector = sitk.N4BiasFieldCorrectionImageFilter()
corrector.SetMaximumNumberOfIterations([50] * 4)
corrector.Execute(sitk.Shrink(image, [4] * 3), sitk.Shrink(mask, [4] * 3))
field = corrector.GetLogBiasFieldAsImage(image)
stages.done("n4")
sitk.WriteImage(field, out)
print(json.dumps(stages.report()))
