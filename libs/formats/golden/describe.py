"""Prints what nibabel sees in a file, as JSON: python3 describe.py FILE [brief]"""
import json
import sys

import nibabel as nib
import numpy as np

image = nib.load(sys.argv[1])
data = np.asarray(image.get_fdata())
qform, qcode = image.get_qform(coded=True)
flat = data.ravel(order='F')
print(json.dumps({
    'shape': list(image.shape),
    'affine': image.affine.ravel().tolist(),
    'qform': None if qform is None else qform.ravel().tolist(),
    'codes': [int(qcode), int(image.header['sform_code'])],
    'units': list(image.header.get_xyzt_units()),
    'intent': int(image.header['intent_code']),
    'dtype': str(image.get_data_dtype().newbyteorder('=')),
    'data': flat.tolist() if flat.size < 1000 else [],
    'sum': float(flat.astype(np.float32).astype(np.float64).sum()),
}))
