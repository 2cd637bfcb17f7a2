import { expect, test } from 'vitest';
import { groupsFor, kernel, packParameters, WORKGROUP } from './shader.ts';

test('workgroups hold every invocation, and no dimension more than 65535', () => {
  for (const count of [1, 64, 65, 65_535 * 64, 65_535 * 64 + 1, 300_000_000]) {
    const [columns, rows] = groupsFor(count);
    expect(columns * rows * WORKGROUP).toBeGreaterThanOrEqual(count);
    expect(Math.max(columns, rows)).toBeLessThanOrEqual(65_535);
    expect((columns * rows - rows) * WORKGROUP).toBeLessThan(count);
  }
});

test('buffers are numbered after the parameters, in the order read, write, atomic', () => {
  const { code } = kernel('k', { read: ['a', 'b'], write: ['c'], atomic: ['d'], body: '' });
  expect(code.match(/@binding\(\d\) var<[a-z_, ]+> \w+/g)).toEqual([
    '@binding(0) var<uniform> p',
    '@binding(1) var<storage, read> a',
    '@binding(2) var<storage, read> b',
    '@binding(3) var<storage, read_write> c',
    '@binding(4) var<storage, read_write> d',
  ]);
});

test('parameters are packed as WGSL lays them out', () => {
  const k = kernel('k', { parameters: { row: 'vec4f', radius: 'i32', gain: 'f32' }, body: '' });
  const bytes = packParameters(k, 24, [2, 3, 4], { row: [1, 2, 3, 4], radius: -5, gain: 0.5 });
  expect(bytes.length).toBe(48);
  expect([...new Int32Array(bytes.buffer, 0, 4)]).toEqual([24, 2, 3, 4]);
  expect([...new Float32Array(bytes.buffer, 16, 4)]).toEqual([1, 2, 3, 4]);
  expect(new Int32Array(bytes.buffer, 32, 1)[0]).toBe(-5);
  expect(new Float32Array(bytes.buffer, 36, 1)[0]).toBe(0.5);
  expect(() => packParameters(k, 1, [1, 1, 1], { row: [1, 2, 3, 4], radius: 1 })).toThrow('k lacks gain');
});
