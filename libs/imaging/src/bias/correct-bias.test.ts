import type { Volume } from '@engram/volume';
import { expect, test } from 'vitest';
import { correctBias } from './correct-bias.ts';

const n = 40;
const identity = [4, 0, 0, -80, 0, 4, 0, -80, 0, 0, 4, -80, 0, 0, 0, 1];
const at = (i: number) => [i % n, Math.floor(i / n) % n, Math.floor(i / (n * n))] as const;

/** Three tissues in nested wavy shells, times a smooth field of about 15 %. */
function phantom(): { image: Volume; field: Float32Array; inside: boolean[] } {
  const data = new Float32Array(n ** 3);
  const field = new Float32Array(n ** 3);
  const inside: boolean[] = [];
  for (let i = 0; i < data.length; i++) {
    const [x, y, z] = at(i).map((v) => (2 * v) / (n - 1) - 1) as [number, number, number];
    const r = Math.hypot(x, y, z) + 0.05 * Math.sin(9 * x) * Math.cos(8 * y);
    const tissue = r > 0.9 ? 0 : r > 0.75 ? 40 : (Math.floor(r * 12) + Math.floor(6 * x + 9)) % 2 ? 80 : 110;
    field[i] = 0.2 * Math.sin(1.5 * x) + 0.15 * y * z - 0.1 * z;
    inside.push(tissue > 0);
    data[i] = tissue * Math.exp(field[i]!) * (1 + 0.01 * Math.sin(i * 12.9898));
  }
  return { image: { shape: [n, n, n], frames: 1, affine: identity, data }, field, inside };
}

function spread(values: number[]): number {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length);
}

test('a known smooth field is found to within a third of its spread', async () => {
  const { image, field, inside } = phantom();
  const result = await correctBias(image);
  const own = [...field].filter((_, i) => inside[i]);
  const rest = [...field].map((v, i) => v - result.logField.data[i]!).filter((_, i) => inside[i]);
  expect(spread(own)).toBeGreaterThan(0.1);
  expect(spread(rest)).toBeLessThan(spread(own) / 3);
});

test('the field outside the mask stays within the range it has inside', async () => {
  const { image, inside } = phantom();
  const { data } = (await correctBias(image)).logField;
  const within = [...data].filter((_, i) => inside[i]);
  const limit = 1.5 * Math.max(...within.map(Math.abs));
  expect(data.every((v) => Number.isFinite(v) && Math.abs(v) < limit)).toBe(true);
});

test('the same image gives the same bits twice, and zero stays zero', async () => {
  const { image, inside } = phantom();
  const [a, b] = [await correctBias(image), await correctBias(image)];
  expect(a.corrected.data).toEqual(b.corrected.data);
  expect(a.corrected.data.every((v, i) => inside[i] || v === 0)).toBe(true);
});

test('flipping an axis flips the field: orientation does not matter', async () => {
  const { image } = phantom();
  const flipped = Float32Array.from(image.data, (_, i) => {
    const [x, y, z] = at(i);
    return image.data[(z * n + y) * n + (n - 1 - x)]!;
  });
  const plain = (await correctBias(image)).logField.data;
  const turned = (await correctBias({ ...image, data: flipped })).logField.data;
  for (let i = 0; i < plain.length; i += 97) {
    const [x, y, z] = at(i);
    expect(turned[(z * n + y) * n + (n - 1 - x)]).toBeCloseTo(plain[i]!, 3);
  }
});

test('an image without signal, a mask of another shape and a 4D image are refused by code', async () => {
  const { image } = phantom();
  const empty = { ...image, data: new Float32Array(n ** 3) };
  await expect(correctBias(empty)).rejects.toMatchObject({ code: 'IMAGE_EMPTY' });
  const mask = { shape: [1, 1, 1] as const, affine: identity, data: new Uint8Array(1) };
  await expect(correctBias(image, { mask })).rejects.toMatchObject({ code: 'MASK_GRID_MISMATCH' });
  await expect(correctBias({ ...image, frames: 2 })).rejects.toMatchObject({ code: 'IMAGE_NOT_3D' });
});

test('an abort stops the work', async () => {
  const { image } = phantom();
  await expect(correctBias(image, { signal: AbortSignal.abort(new Error('stop')) })).rejects.toThrow('stop');
});
