/**
 * An image in memory. Voxels lie in NIfTI order: x fastest, then y, z, t: index = ((t*nz + z)*ny + y)*nx + x.
 * World space is RAS mm (NIfTI): +x right, +y anterior, +z superior.
 */

/** 4x4 row-major matrix, 16 numbers: maps voxel indices (i,j,k,1) to RAS mm. */
export type Affine = readonly number[];
export type Shape3 = readonly [number, number, number];
export type Vec3 = readonly [number, number, number];

export interface Volume {
  readonly shape: Shape3;
  /** Frames; 1 for a 3D image. */
  readonly frames: number;
  /** Voxel indices to RAS mm. */
  readonly affine: Affine;
  /** Length nx*ny*nz*frames, scl_slope and scl_inter already applied. */
  readonly data: Float32Array;
}

/** Labels: same order, integers. */
export interface LabelVolume {
  readonly shape: Shape3;
  readonly affine: Affine;
  readonly data: Uint16Array;
}

/** A mask: 0 or 1. */
export interface MaskVolume {
  readonly shape: Shape3;
  readonly affine: Affine;
  readonly data: Uint8Array;
}

/**
 * Displacement field on the fixed grid, RAS mm, components apart: x' = x + u(x) takes a fixed point (mm) to the moving
 * image. Written to disk as NIfTI intent 1007, shape X,Y,Z,1,3 in LPS mm.
 */
export interface DisplacementField {
  readonly shape: Shape3;
  readonly affine: Affine;
  readonly x: Float32Array;
  readonly y: Float32Array;
  readonly z: Float32Array;
}
