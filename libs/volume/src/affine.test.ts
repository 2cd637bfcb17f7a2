import { expect, test } from 'vitest';
import {
  applyAffine as apply,
  determinant,
  IDENTITY,
  invertAffine as invert,
  multiplyAffines as multiply,
} from './affine.ts';

const oblique = [-0.9, 0.2, 0.1, 30, 0.15, 1.8, -0.4, -20, -0.05, 0.5, 2.4, 11, 0, 0, 0, 1];

test('a matrix times its inverse is the identity', () => {
  const product = multiply(oblique, invert(oblique));
  product.forEach((value, k) => {
    expect(value).toBeCloseTo(IDENTITY[k] ?? Number.NaN, 12);
  });
});

test('multiply composes: (ab)x is a(bx)', () => {
  const other = [0, 1, 0, 3, -1, 0, 0, 4, 0, 0, 2, 5, 0, 0, 0, 1];
  const both = apply(multiply(oblique, other), [1, 2, 3]);
  const apart = apply(oblique, apply(other, [1, 2, 3]));
  both.forEach((value, k) => {
    expect(value).toBeCloseTo(apart[k] ?? Number.NaN, 12);
  });
});

test('the determinant of a scaled rotation is the product of its scales', () => {
  expect(determinant([0, -2, 0, 0, 3, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 1])).toBe(24);
});

test('a singular matrix is refused', () => {
  expect(() => invert([1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1])).toThrow('singular');
});
