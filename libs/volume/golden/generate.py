"""Golden values of image geometry from nibabel: python3 libs/volume/golden/generate.py > libs/volume/golden/geometry.json"""
import json

import nibabel as nib
import numpy as np
from nibabel import affines, orientations, quaternions, spaces

rng = np.random.default_rng(7)


def case(affine, shape):
    affine = np.asarray(affine, float)
    data = np.arange(np.prod(shape), dtype=np.float32).reshape(shape, order='F')
    ras = nib.as_closest_canonical(nib.Nifti1Image(data, affine))
    header = nib.Nifti1Header()
    header.set_data_shape(shape)
    header.set_qform(affine, 1)
    out_shape, out_affine = spaces.vox2out_vox((shape, affine), (1.5, 1.5, 1.5))
    corners = affines.apply_affine(affine, [[i, j, k] for i in (0, shape[0] - 1) for j in (0, shape[1] - 1) for k in (0, shape[2] - 1)])
    return {
        'affine': affine.ravel().tolist(),
        'shape': list(shape),
        'inverse': np.linalg.inv(affine).ravel().tolist(),
        'voxelSize': affines.voxel_sizes(affine).tolist(),
        'determinant': float(np.linalg.det(affine[:3, :3])),
        'codes': ''.join(orientations.aff2axcodes(affine)),
        'obliquity': affines.obliquity(affine).tolist(),
        'point': affines.apply_affine(affine, [1.5, -2, 3]).tolist(),
        'bounds': [corners.min(0).tolist(), corners.max(0).tolist()],
        'ras': {'shape': list(ras.shape), 'affine': ras.affine.ravel().tolist(), 'data': np.asarray(ras.dataobj).ravel(order='F').tolist()},
        'isotropic': {'shape': [int(n) for n in out_shape], 'affine': out_affine.ravel().tolist()},
        'qform': {
            'b': float(header['quatern_b']), 'c': float(header['quatern_c']), 'd': float(header['quatern_d']),
            'qfac': float(header['pixdim'][0]), 'affine': header.get_qform().ravel().tolist(),
        },
    }


def rotation(angles):
    return nib.eulerangles.euler2mat(*angles)


def affine(linear, translation):
    out = np.eye(4)
    out[:3, :3] = linear
    out[:3, 3] = translation
    return out


cases = [
    case(np.eye(4), (2, 3, 4)),
    case(affine(np.diag([-1, 1, 1]), [90, -126, -72]), (3, 2, 2)),
    case(affine([[0, 0, 1.2], [-0.94, 0, 0], [0, 0.94, 0]], [-70, 90, -110]), (2, 3, 4)),
    case(affine([[0, 0, -2], [0, -2, 0], [2, 0, 0]], [1, 2, 3]), (4, 3, 2)),
    case(affine(rotation((0.3, -0.2, 0.5)) @ np.diag([0.7, 0.8, 3.5]), [10, -20, 30]), (3, 4, 2)),
    case(affine(rotation((np.pi, 0, 0)) @ np.diag([1, 1, 2]), [0, 0, 0]), (2, 2, 3)),
    case(affine(rotation((0, np.pi, 0)) @ np.diag([1, 1, -2]), [0, 5, 0]), (2, 2, 3)),
    case(affine(rotation((0.78, 0.1, -0.79)) @ np.diag([-1, 1.1, 1.2]), [4, 5, 6]), (2, 3, 2)),
]
for _ in range(8):
    cases.append(case(affine(rotation(rng.uniform(-3, 3, 3)) @ np.diag(rng.uniform(0.4, 3, 3) * rng.choice([-1, 1], 3)), rng.uniform(-99, 99, 3)), (2, 3, 4)))
print(json.dumps(cases))
