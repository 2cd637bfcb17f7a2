"""elastix_rigid.py FIXED MOVING OUT: rigid by mutual information, four levels; OUT gets the total displacement in FIXED's space."""
import json
import sys

import itk

from measure import Stages

fixed, moving = (itk.imread(path, itk.F) for path in sys.argv[1:3])
parameters = itk.ParameterObject.New()
rigid = parameters.GetDefaultParameterMap("rigid", 4)
rigid["AutomaticTransformInitialization"] = ["true"]
rigid["NumberOfSpatialSamples"] = ["4096"]
parameters.AddParameterMap(rigid)
stages = Stages()
_, found = itk.elastix_registration_method(fixed, moving, parameter_object=parameters, log_to_console=False)
stages.done("rigid")
field = itk.transformix_deformation_field(moving, found)
itk.imwrite(field, sys.argv[3])
print(json.dumps(stages.report()))
