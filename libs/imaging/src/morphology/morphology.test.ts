import { IDENTITY, type MaskVolume, type Shape3 } from '@engram/volume';
import { expect, test } from 'vitest';
import { components } from './components.ts';
import { type Connectivity, neighbours } from './connectivity.ts';
import { dilate } from './dilate.ts';
import { erode } from './erode.ts';
import { fillHoles } from './fill-holes.ts';
import { largestComponent } from './largest-component.ts';

const shape: Shape3 = [11, 9, 7];
const mask = (inside: (x: number, y: number, z: number) => boolean): MaskVolume => {
  const data = new Uint8Array(shape[0] * shape[1] * shape[2]);
  for (let at = 0; at < data.length; at++) {
    const [x, y, z] = [at % 11, Math.floor(at / 11) % 9, Math.floor(at / 99)];
    data[at] = inside(x, y, z) ? 1 : 0;
  }
  return { shape, affine: IDENTITY, data };
};
const count = (m: MaskVolume) => m.data.reduce((a, b) => a + b, 0);

/** From the definition: one step looks at every neighbour of every voxel; 0 beyond the image. */
function naive(m: MaskVolume, connectivity: Connectivity, iterations: number, grow: boolean): Uint8Array {
  let now = m.data;
  for (let n = 0; n < iterations; n++) {
    now = Uint8Array.from(now, (own, at) => {
      const [x, y, z] = [at % 11, Math.floor(at / 11) % 9, Math.floor(at / 99)];
      const around = neighbours(connectivity).map(([dx, dy, dz]) => {
        const [i, j, k] = [x + dx, y + dy, z + dz];
        const inside = i >= 0 && j >= 0 && k >= 0 && i < 11 && j < 9 && k < 7;
        return inside ? now[(k * 9 + j) * 11 + i] : 0;
      });
      return grow ? Math.max(own, ...around) : Math.min(own, ...around);
    });
  }
  return now;
}

const speckle = mask((x, y, z) => (x * 7919 + y * 104729 + z * 1299709 + x * y * z * 31) % 11 < 7);
for (const connectivity of [6, 18, 26] as const) {
  test(`erosion and dilation agree with the definition (${connectivity} neighbours)`, () => {
    for (const iterations of [0, 1, 2, 3]) {
      expect(
        dilate(
          mask((x, y, z) => x === 5 && y === 1 && z === 3),
          { connectivity, iterations },
        ).data,
      ).toEqual(
        naive(
          mask((x, y, z) => x === 5 && y === 1 && z === 3),
          connectivity,
          iterations,
          true,
        ),
      );
      expect(erode(speckle, { connectivity, iterations }).data).toEqual(
        naive(speckle, connectivity, iterations, false),
      );
    }
    expect(neighbours(connectivity)).toHaveLength(connectivity);
  });
}

test('a mask that fills the image is eroded at its faces', () => {
  expect(count(erode(mask(() => true)))).toBe(9 * 7 * 5);
});

test('an enclosed hole is filled and a dent open to the outside is not', () => {
  const box = (x: number, y: number, z: number) => x > 1 && x < 9 && y > 1 && y < 7 && z > 0 && z < 6;
  const holed = mask((x, y, z) => box(x, y, z) && !(x === 5 && y === 4 && z === 3));
  expect(fillHoles(holed).data).toEqual(mask(box).data);
  const dented = mask((x, y, z) => box(x, y, z) && !(x === 5 && y === 4 && z >= 3));
  expect(fillHoles(dented).data).toEqual(dented.data);
});

test('two cubes that touch at a corner are one component of 26 neighbours and two of 6', () => {
  const two = mask((x, y, z) => (x < 2 && y < 2 && z < 2) || (x > 1 && x < 5 && y > 1 && y < 5 && z > 1 && z < 5));
  expect(components(two, 26).sizes).toEqual([8 + 27]);
  expect(components(two, 6).sizes).toEqual([8, 27]);
  expect(components(two, 18).sizes).toEqual([8, 27]);
  expect(count(largestComponent(two, 6))).toBe(27);
  expect(largestComponent(two, 6).data[0]).toBe(0);
});

test('an empty mask stays empty', () => {
  const none = mask(() => false);
  for (const verb of [erode, dilate, fillHoles, largestComponent]) expect(count(verb(none))).toBe(0);
});
