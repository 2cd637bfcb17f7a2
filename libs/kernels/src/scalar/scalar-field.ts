/** x, y and z components of a displacement field. */
export type ScalarField = readonly [Float32Array, Float32Array, Float32Array];
