import { applyAffine } from '@engram/volume';
import { expect, test } from 'vitest';
import { composeAffineField } from './compose-affine-field.ts';

test('x + total(x) is the matrix after the displaced point, on an oblique grid', () => {
  const grid = { shape: [3, 2, 2], affine: [0, -2, 0.1, 7, 1.5, 0.2, 0, -3, 0, 0, 3, 900, 0, 0, 0, 1] } as const;
  const matrix = [1.1, 0.2, 0, 5, -0.1, 0.9, 0.3, -200, 0, 0.1, 1, 4, 0, 0, 0, 1];
  const component = (k: number) => Float32Array.from({ length: 12 }, (_, i) => Math.sin(i + k));
  const u = [component(0), component(1), component(2)] as const;
  const field = composeAffineField(grid, u, matrix);
  for (let z = 0, i = 0; z < 2; z++)
    for (let y = 0; y < 2; y++)
      for (let x = 0; x < 3; x++, i++) {
        const expected = applyAffine(matrix, applyAffine(grid.affine, [x + u[0][i], y + u[1][i], z + u[2][i]]));
        const from = applyAffine(grid.affine, [x, y, z]);
        // float32 of some hundred millimetres.
        expect(from[0] + field.x[i]).toBeCloseTo(expected[0], 3);
        expect(from[1] + field.y[i]).toBeCloseTo(expected[1], 3);
        expect(from[2] + field.z[i]).toBeCloseTo(expected[2], 3);
      }
});
