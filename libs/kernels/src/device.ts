/**
 * The device interface: buffers of float32 voxels and kernels over them. Every backend (`scalar`, `wasm`, `webgpu`) has
 * the same kernels under the same file names; `libs/imaging` writes each algorithm once over this and never names one.
 *
 * Conventions: shapes are [nx, ny, nz] with x fastest; displacement fields are in voxels of their grid, three buffers;
 * out-of-image samples are clamped to the border unless a kernel says otherwise. A sample lies inside the image when each
 * coordinate is within [-0.5, n - 0.5), as in ITK; in the outer half voxel it takes the border's value. Matrices go from
 * output voxel to input voxel, 12 numbers, row-major 3x4. NaN spreads to what is computed from it (a NaN coordinate gives
 * NaN, or `outside` where a kernel has one) and never reads outside an image. Results do not depend on the number of
 * threads, bit for bit: reductions are summed in a fixed order. Work is queued in call order; only `download` and the
 * kernels that return a number wait, so that a GPU fits: what went wrong before is thrown there at the latest.
 */
export type Shape = readonly [number, number, number];

/** A device-resident array of float32. Freed by `dispose` (a second call does nothing) or with its scope. */
export interface Buffer {
  readonly length: number;
  dispose(): void;
}

export type Field = readonly [Buffer, Buffer, Buffer];

export interface Extent {
  readonly min: number;
  readonly max: number;
  readonly sum: number;
}

export interface AdamOptions {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** Longest step, voxels. */
  readonly limit: number;
}

export interface DeviceInfo {
  readonly backend: 'scalar' | 'wasm' | 'webgpu';
  /** Such as `wasm-simd (2 threads)` or the adapter's name: goes into every result's provenance. */
  readonly name: string;
  readonly threads: number;
}

export interface Device {
  readonly info: DeviceInfo;
  readonly kernels: Kernels;
  /** Zero-filled. @throws DEVICE_OUT_OF_MEMORY */
  alloc(length: number): Buffer;
  upload(data: Float32Array): Buffer;
  /** Copies into `out` or a new array. */
  download(buffer: Buffer, out?: Float32Array): Promise<Float32Array>;
  copy(from: Buffer, to: Buffer): void;
  fill(buffer: Buffer, value: number): void;
  /** Frees every buffer allocated inside unless it is returned (alone, or in arrays and objects). Scopes nest. */
  scope<T>(work: () => Promise<T>): Promise<T>;
  /** Bytes now allocated and the peak so far. */
  memory(): { readonly bytes: number; readonly peak: number };
  close(): Promise<void>;
}

/**
 * One entry a kernel file. Each takes inputs first, outputs last; inputs and outputs must not overlap unless it says so.
 * A buffer may be longer than its shape needs; a shorter one is refused with DEVICE_BUFFER_INVALID.
 */
export interface Kernels {
  /** Separable Gaussian, sigma per axis in voxels (0 = none), FIR truncated at 3 sigma, renormalised weights, clamped border. In place allowed. */
  gaussian(input: Buffer, shape: Shape, sigma: readonly [number, number, number], output: Buffer): void;
  /** out(x) = image(x + u(x)), trilinear, clamped. */
  warp(image: Buffer, u: Field, shape: Shape, output: Buffer): void;
  /** out(y) = image(A y): `matrix` is 12 numbers row-major 3x4 from output voxel to input voxel; trilinear; `outside` beyond the border, or clamped when it is null. */
  affine(
    image: Buffer,
    imageShape: Shape,
    matrix: readonly number[],
    shape: Shape,
    output: Buffer,
    outside?: number | null,
  ): void;
  /** out(y) = image(A (y + u(y))): affine and dense displacement at once, for resampling through a total transform onto another grid. */
  affineWarp(
    image: Buffer,
    imageShape: Shape,
    matrix: readonly number[],
    u: Field,
    shape: Shape,
    output: Buffer,
    outside?: number | null,
  ): void;
  /** Nearest-neighbour version of affineWarp for labels (exact up to 2^24); `u` null means affine only; halves round up. */
  affineWarpNearest(
    image: Buffer,
    imageShape: Shape,
    matrix: readonly number[],
    u: Field | null,
    shape: Shape,
    output: Buffer,
    outside: number,
  ): void;
  /** out(x) = a(x) + b(x + a(x)): the composition (id+b) o (id+a). */
  compose(a: Field, b: Field, shape: Shape, output: Field): void;
  /**
   * Squared local correlation E, signed, in a (2r+1)^3 window clipped at the border, and the exact derivative of its sum
   * with respect to the warped moving image, contracted with that image's central-difference gradient: the force field,
   * which points uphill. `epsilon` is added to both windows' sums of squared deviations. Windows are centred where
   * `mask` > 0. Returns E's mean over those centres (0 without any). docs/algorithms/kernels.md gives the equations.
   */
  lncc(
    fixed: Buffer,
    moving: Buffer,
    mask: Buffer | null,
    shape: Shape,
    radius: number,
    epsilon: number,
    force: Field,
  ): Promise<number>;
  /** Gaussian of sigma 0.5*factor voxels, then every factor-th voxel from the first: output voxel i is input voxel factor*i; ceil(n/factor) of them. */
  downsample(input: Buffer, shape: Shape, factor: number, output: Buffer): Shape;
  /** Trilinear resampling onto another grid that spans the same box, edge to edge, values scaled by `gain`: x' = (x + 0.5) from/to - 0.5, clamped. */
  resize(input: Buffer, from: Shape, to: Shape, gain: number, output: Buffer): void;
  /** Largest Euclidean norm of the field. */
  maxNorm(u: Field, length: number): Promise<number>;
  /** y = alpha*x + beta*y, element by element; `x` may be `y`, and with beta 0 what y held does not matter. */
  axpby(alpha: number, x: Buffer, beta: number, y: Buffer): void;
  /** output = |u|^2, voxel by voxel. */
  squaredNorm(u: Field, length: number, output: Buffer): void;
  /** y = y + max(0, 1 - threshold^2 / energy) x, element by element: a Wiener filter's share of x; none where energy is 0. */
  addAttenuated(x: Buffer, energy: Buffer, threshold: number, y: Buffer): void;
  /**
   * One bounded ascent step of Adam (Kingma & Ba 2015) on a field of `length` = its buffers' length: moments `m`, `v` are
   * updated in place, D = mhat / (sqrt(vhat) + epsilon), step = limit * D / max(1, largest |D|). `iteration` counts from 1.
   */
  adam(gradient: Field, m: Field, v: Field, iteration: number, options: AdamOptions, step: Field): Promise<void>;
  /** det of the Jacobian of x + u(x): central differences, one-sided at the border; free of spacing because u is in voxels. */
  jacobian(u: Field, shape: Shape, output: Buffer): void;
  /**
   * Trilinear samples of an image at free points: `points` holds all x, then all y, then all z, in voxels (3N numbers).
   * `outside` beyond the border, or clamped when it is null.
   */
  samplePoints(image: Buffer, shape: Shape, points: Buffer, output: Buffer, outside?: number | null): void;
  /** Smallest, largest and sum (float64, fixed order); of nothing: Infinity, -Infinity, 0. */
  reduce(input: Buffer, length: number): Promise<Extent>;
}
