"""Images that no scanner made, of label maps: SynthSeg's generative model.

After the equations of Billot et al. 2023, "SynthSeg: Segmentation of brain MRI scans of any contrast and resolution without
retraining", Medical Image Analysis 86:102789. Every parameter is drawn anew for each image from a wide range, so that a network
trained on them cannot lean on any one contrast. The ranges are ours, of the paper's order; `Ranges` holds them all.

    labels     L = L0 o phi,  phi = A o exp(v): affine, and a diffeomorphism by scaling and squaring (Arsigny et al. 2006)
    intensity  G ~ N(mu_L, sd_L), mu and sd drawn for each class
    bias       B = G exp(b), b smooth
    contrast   I = B' ^ exp(g), B' cut at percentiles within the brain and scaled to 0..1, g normal
    resolution slices thicker along one axis: Gaussian of their profile, sampled at their spacing, interpolated back

Grids are [S, A, R] cubes around the brain's centre. Everything is a pure function of its key.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from dataset import Classes, LabelMap


class Ranges(NamedTuple):
    rotation_degrees: float = 15.0
    scaling: float = 0.15
    shear: float = 0.012
    translation_mm: float = 10.0
    velocity_mm: float = 4.0  # SD of the velocity at its control points, at most
    control_points: int = 10  # an axis
    mean: float = 255.0
    deviation: float = 35.0
    bias: float = 0.5  # SD of its logarithm at its control points, at most
    bias_points: int = 4
    slice_mm: float = 7.0  # at most
    gamma: float = 0.3
    bare: float = 0.3  # share of images without anything outside the brain
    flipped: float = 0.5
    percentiles: tuple[float, float] = (1.0, 99.0)


SQUARINGS = 6


def uniform(key, limit, shape=()):
    return jax.random.uniform(key, shape, minval=-limit, maxval=limit)


def linear_at(field: jax.Array, at: jax.Array) -> jax.Array:
    """`field` [S, A, R] at positions [3, ...] in voxels, linear, clamped at the border."""
    return jax.scipy.ndimage.map_coordinates(field, list(at), order=1, mode="nearest")


def smooth_field(key, components: int, points: int, grid, deviation) -> jax.Array:
    """Normal values at `points`^3 control points, interpolated to the grid: [components, S, A, R]."""
    coarse = deviation * jax.random.normal(key, (components, points, points, points))
    return jax.image.resize(coarse, (components, *grid), "linear")


def exponential(velocity: jax.Array) -> jax.Array:
    """Displacement of exp(v), in voxels, of a velocity in voxels [3, S, A, R]."""
    home = jnp.stack(jnp.meshgrid(*(jnp.arange(n, dtype=jnp.float32) for n in velocity.shape[1:]), indexing="ij"))

    def squared(_, u):
        return u + jnp.stack([linear_at(component, home + u) for component in u])

    return jax.lax.fori_loop(0, SQUARINGS, squared, velocity / 2**SQUARINGS)


def random_affine(key, ranges: Ranges) -> jax.Array:
    """Rotation, shear and scaling: 3 x 3, in R, A, S."""
    turn, shear, scale = jax.random.split(key, 3)
    a, b, c = uniform(turn, jnp.deg2rad(ranges.rotation_degrees), (3,))
    zero, one = jnp.float32(0), jnp.float32(1)

    def matrix(*rows):
        return jnp.stack([jnp.stack(row) for row in rows])

    rotation = (
        matrix((one, zero, zero), (zero, jnp.cos(a), -jnp.sin(a)), (zero, jnp.sin(a), jnp.cos(a)))
        @ matrix((jnp.cos(b), zero, jnp.sin(b)), (zero, one, zero), (-jnp.sin(b), zero, jnp.cos(b)))
        @ matrix((jnp.cos(c), -jnp.sin(c), zero), (jnp.sin(c), jnp.cos(c), zero), (zero, zero, one))
    )
    off = uniform(shear, ranges.shear, (3, 3))
    shearing = jnp.where(jnp.eye(3) > 0, 1.0, off)
    return rotation @ shearing @ jnp.diag(1 + uniform(scale, ranges.scaling, (3,)))


def offsets(grid, spacing: float) -> jax.Array:
    """RAS mm of each voxel from the grid's centre: [3, S, A, R]."""
    s, a, r = (spacing * (jnp.arange(n, dtype=jnp.float32) - (n - 1) / 2) for n in grid)
    s, a, r = jnp.meshgrid(s, a, r, indexing="ij")
    return jnp.stack([r, a, s])


def deformed(key, grid, spacing: float, ranges: Ranges) -> jax.Array:
    """Where each voxel of the grid comes from, RAS mm from the brain's centre: [3, S, A, R]."""
    keys = jax.random.split(key, 5)
    deviation = jax.random.uniform(keys[0], (), maxval=ranges.velocity_mm / spacing)
    half = tuple(max(2, n // 2) for n in grid)
    # In voxels of half the grid: coarse enough to be quick, and the velocity is smoother still.
    velocity = smooth_field(keys[1], 3, ranges.control_points, half, deviation / 2)
    u = 2 * spacing * jax.image.resize(exponential(velocity), (3, *grid), "linear")
    p = offsets(grid, spacing) + u[::-1]  # u moves along S, A, R; offsets are R, A, S
    p = jnp.einsum("ij,j...->i...", random_affine(keys[2], ranges), p)
    sign = jnp.where(jax.random.uniform(keys[4]) < ranges.flipped, -1.0, 1.0)
    return jnp.stack([sign * p[0], p[1], p[2]]) + uniform(keys[3], ranges.translation_mm, (3, 1, 1, 1)), sign < 0


def sampled(case: LabelMap, points: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Structures and regions at points in RAS mm from the brain's centre, by the nearest voxel; 0 outside the map."""
    mm = points + case.centre[:, None, None, None]
    voxel = jnp.einsum("ij,j...->i...", case.to_voxel[:3, :3], mm) + case.to_voxel[:3, 3, None, None, None]
    size = jnp.asarray(case.structures.shape)[:, None, None, None]
    index = jnp.round(voxel).astype(jnp.int32)
    inside = jnp.all((index >= 0) & (index < size), axis=0)
    i, j, k = jnp.clip(index, 0, size - 1)
    volumes = (jnp.asarray(case.structures), jnp.asarray(case.regions))
    return tuple(jnp.where(inside, volume[i, j, k], 0).astype(jnp.int32) for volume in volumes)


def blurred(image: jax.Array, sigma, axis: int, radius: int) -> jax.Array:
    """Gaussian of `sigma` voxels along one axis, the border repeated."""
    at = jnp.arange(-radius, radius + 1)
    weights = jnp.exp(-0.5 * (at / jnp.maximum(sigma, 1e-3)) ** 2)
    weights = weights / weights.sum()
    moved = jnp.moveaxis(image, axis, -1)
    padded = jnp.pad(moved, ((0, 0), (0, 0), (radius, radius)), mode="edge")
    out = sum(weights[k] * padded[..., k : k + moved.shape[-1]] for k in range(2 * radius + 1))
    return jnp.moveaxis(out, -1, axis)


def resliced(image: jax.Array, step, axis: int) -> jax.Array:
    """Sampled each `step` voxels along an axis, and interpolated back."""
    moved = jnp.moveaxis(image, axis, 0)
    n = moved.shape[0]
    at = jnp.arange(n) / step
    lower = jnp.floor(at)

    def slice_at(position):
        position = jnp.clip(position * step, 0, n - 1)
        low = jnp.floor(position).astype(jnp.int32)
        share = (position - low)[:, None, None]
        return (1 - share) * moved[low] + share * moved[jnp.minimum(low + 1, n - 1)]

    share = (at - lower)[:, None, None]
    return jnp.moveaxis((1 - share) * slice_at(lower) + share * slice_at(lower + 1), 0, axis)


def normalised(image: jax.Array, brain: jax.Array, percentiles) -> jax.Array:
    """The two percentiles of the voxels within the brain become 0 and 1; what lies beyond is clipped."""
    low, high = jnp.nanpercentile(jnp.where(brain, image, jnp.nan), jnp.asarray(percentiles), method="lower")
    return jnp.clip((image - low) / jnp.maximum(high - low, 1e-6), 0, 1)


def scanned(key, structures: jax.Array, classes: Classes, spacing: float, ranges: Ranges) -> jax.Array:
    """An image of the structures in a contrast, at a resolution and with a shading of its own: [S, A, R], 0..1."""
    keys = jax.random.split(key, 9)
    count = len(classes.numbers)
    mean = jax.random.uniform(keys[0], (count,), maxval=ranges.mean).at[0].multiply(jax.random.bernoulli(keys[1]))
    deviation = jax.random.uniform(keys[2], (count,), maxval=ranges.deviation)
    brain = jnp.asarray(classes.brain)
    bare = jax.random.uniform(keys[3]) < ranges.bare
    structures = jnp.where(bare & ~brain[structures], 0, structures)
    image = mean[structures] + deviation[structures] * jax.random.normal(keys[4], structures.shape)
    strength = jax.random.uniform(keys[5], (), maxval=ranges.bias)
    image = image * jnp.exp(smooth_field(keys[6], 1, ranges.bias_points, structures.shape, strength)[0])
    for axis in range(3):  # a voxel averages what lies in it
        image = blurred(image, 0.5, axis, 2)
    thickness = jax.random.uniform(keys[7], (), minval=spacing, maxval=ranges.slice_mm) / spacing
    radius = int(2 * ranges.slice_mm / spacing)
    # A slice of thickness t passes what a Gaussian of half its width at half maximum t passes.
    sigma = jnp.sqrt(jnp.maximum(thickness**2 - 1, 0)) / 2.355
    which, power = jax.random.split(keys[8])
    branches = [lambda x, axis=axis: resliced(blurred(x, sigma, axis, radius), thickness, axis) for axis in range(3)]
    image = jax.lax.switch(jax.random.randint(which, (), 0, 3), branches, image)
    image = normalised(image, brain[structures], ranges.percentiles)
    return image ** jnp.exp(ranges.gamma * jax.random.normal(power))


def synthesise(key, case: LabelMap, classes: Classes, mirror, grid, spacing: float, ranges: Ranges = Ranges()):
    """An image [S, A, R] in 0..1 and the channel of each of its voxels."""
    shape_key, scan_key = jax.random.split(key)
    points, is_flipped = deformed(shape_key, grid, spacing, ranges)
    structures, regions = sampled(case, points)
    regions = jnp.where(is_flipped, jnp.asarray(mirror)[regions], regions)
    return scanned(scan_key, structures, classes, spacing, ranges), regions
