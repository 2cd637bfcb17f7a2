"""Golden NIfTI and ITK files, tiny and made by us, with nibabel and SimpleITK:

    python3 libs/formats/golden/generate.py      (pip install nibabel numpy SimpleITK)

Writes the files beside this script and `expected.json`: what nibabel and SimpleITK say they hold.
"""
import gzip
import json
import pathlib

import nibabel as nib
import numpy as np
import SimpleITK as sitk

here = pathlib.Path(__file__).parent
rng = np.random.default_rng(11)
expected = {'nifti': {}, 'affines': {}, 'field': {}}

OBLIQUE = np.eye(4)
OBLIQUE[:3, :3] = nib.eulerangles.euler2mat(0.3, -0.2, 0.5) @ np.diag([-0.9, 1.1, 2.5])
OBLIQUE[:3, 3] = [30.5, -20.25, 11]
PSR = np.array([[0, 0, 1.5, -60], [1.25, 0, 0, -70], [0, 1.25, 0, -50], [0, 0, 0, 1.0]])


def save(name, image):
    nib.save(image, here / name)
    loaded = nib.load(here / name)
    expected['nifti'][name] = {
        'shape': list(loaded.shape),
        'affine': loaded.affine.ravel().tolist(),
        'codes': ''.join(nib.aff2axcodes(loaded.affine)),
        'data': np.asarray(loaded.get_fdata()).ravel(order='F').tolist(),
    }


def image(dtype, affine=OBLIQUE, shape=(3, 4, 2), version=1, big=False, slope=None, inter=None, qform=None, sform=None, codes=(1, 2)):
    kind = np.dtype(dtype)
    if kind.kind == 'f':
        data = rng.normal(0, 100, shape).astype(kind)
    else:
        info = np.iinfo(kind)
        low, high = max(info.min, -(2**40)), min(info.max, 2**40)
        data = rng.integers(low, high, shape, dtype=np.int64 if kind != np.uint64 else np.uint64).astype(kind)
        data.flat[0], data.flat[1] = info.min, info.max
    cls, hdr = (nib.Nifti1Image, nib.Nifti1Header) if version == 1 else (nib.Nifti2Image, nib.Nifti2Header)
    header = hdr(endianness='>' if big else '<')
    header.set_data_dtype(kind)
    out = cls(data, None, header)
    out.header.set_data_dtype(kind)
    out.set_qform(affine if qform is None else qform, codes[0])
    out.set_sform(affine if sform is None else sform, codes[1])
    if slope is not None:
        out.header.set_slope_inter(slope, inter)
        # nibabel would scale to fit on save: write the stored integers as they are.
        raw = cls(nib.volumeutils.array_from_file(data.shape, kind, _bytes(data)), None, out.header)
        raw.header.set_slope_inter(slope, inter)
        return raw
    return out


def _bytes(data):
    import io

    return io.BytesIO(data.tobytes(order='F'))


for dtype in ['uint8', 'int8', 'int16', 'uint16', 'int32', 'uint32', 'int64', 'uint64', 'float32', 'float64']:
    save(f'{dtype}.nii', image(dtype))
    save(f'{dtype}_big.nii', image(dtype, big=True))
save('nifti2_int16.nii.gz', image('int16', version=2))
save('nifti2_big_float64.nii', image('float64', version=2, big=True))
save('gzip_int16.nii.gz', image('int16'))
save('frames_float32.nii.gz', image('float32', shape=(3, 2, 2, 4)))
save('psr_uint8.nii', image('uint8', affine=PSR))
save('qform_only.nii', image('int16', affine=OBLIQUE, codes=(1, 0)))
save('sform_only.nii', image('int16', affine=OBLIQUE, codes=(0, 2)))
# The forms disagree and the qform's code is larger: nibabel still takes the sform.
save('sform_wins.nii', image('int16', qform=PSR, sform=OBLIQUE, codes=(2, 1)))
save('no_form.nii', image('int16', affine=np.diag([1.5, 2, 3, 1]), codes=(0, 0)))


def scaled(name, slope, inter):
    """Stored integers with a scaling written straight into the header bytes."""
    source = image('int16')
    nib.save(source, here / name)
    raw = bytearray((here / name).read_bytes())
    raw[112:120] = np.array([slope, inter], '<f4').tobytes()
    (here / name).write_bytes(raw)
    save_expected(name)


def save_expected(name):
    loaded = nib.load(here / name)
    expected['nifti'][name] = {
        'shape': list(loaded.shape),
        'affine': loaded.affine.ravel().tolist(),
        'codes': ''.join(nib.aff2axcodes(loaded.affine)),
        'data': np.asarray(loaded.get_fdata()).ravel(order='F').tolist(),
    }


scaled('scaled.nii', 0.25, -3)
scaled('slope_zero.nii', 0, 7)
scaled('slope_nan.nii', np.nan, np.nan)

# Bytes behind the voxels, an extension before them, gzip members one after another: nibabel reads all three.
plain = (here / 'int16.nii').read_bytes()
(here / 'trailing.nii').write_bytes(plain + b'garbage')
save_expected('trailing.nii')
with_extension = nib.load(here / 'int16.nii')
with_extension.header.extensions.append(nib.nifti1.Nifti1Extension('comment', b'made for a test'))
save('extension.nii', nib.Nifti1Image(np.asarray(with_extension.dataobj), with_extension.affine, with_extension.header))
(here / 'two_members.nii.gz').write_bytes(gzip.compress(plain[:380], mtime=0) + gzip.compress(plain[380:], mtime=0))
save_expected('two_members.nii.gz')
for name in sorted(p.name for p in here.glob('*.nii.gz')):
    # A fixed time in the gzip header, so that running this again changes nothing.
    if name != 'two_members.nii.gz':
        (here / name).write_bytes(gzip.compress(gzip.decompress((here / name).read_bytes()), mtime=0))

# ITK: transforms as SimpleITK writes them, and where they take points (LPS mm).
points = rng.uniform(-80, 80, (5, 3))
affine = sitk.AffineTransform(3)
affine.SetMatrix((nib.eulerangles.euler2mat(0.2, 0.1, -0.3) @ np.diag([1.1, 0.95, 1.02])).ravel().tolist())
affine.SetTranslation([3.5, -7.25, 1.125])
affine.SetCenter([10, -20, 30])
sitk.WriteTransform(affine, str(here / 'affine.txt'))
expected['affines']['affine.txt'] = {
    'points': points.tolist(), 'mapped': [affine.TransformPoint(p.tolist()) for p in points],
}

# A displacement field as SimpleITK reads it: NIfTI intent 1007, X,Y,Z,1,3, LPS mm.
vectors = rng.normal(0, 2, (3, 4, 2, 1, 3)).astype(np.float32)
field = nib.Nifti1Image(vectors, OBLIQUE)
field.header.set_intent(1007)
field.header.set_xyzt_units('mm')
nib.save(field, here / 'field.nii')
displacement = sitk.DisplacementFieldTransform(sitk.Cast(sitk.ReadImage(str(here / 'field.nii')), sitk.sitkVectorFloat64))
indices = [[0, 0, 0], [1, 2, 0], [2, 3, 1], [1, 1, 1]]
read = sitk.ReadImage(str(here / 'field.nii'))
at = [read.TransformIndexToPhysicalPoint(i) for i in indices]
expected['field'] = {'indices': indices, 'points': [list(p) for p in at], 'mapped': [list(displacement.TransformPoint(p)) for p in at]}

(here / 'expected.json').write_text(json.dumps(expected))
