import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalJson, digestOf } from './canonical-json.ts';
import { type KeyParts, taskKey } from './task-key.ts';

interface Parameters {
  readonly used: number;
  readonly ignored: number;
}

const parts: KeyParts<Parameters> = {
  task: { name: 'n4', version: 3, parameterKeys: ['used'] },
  parameters: { used: 1, ignored: 2 },
  inputs: { 'import-t1/t1.nii.gz': 'aa', atlas: 'bb' },
  backend: 'wasm',
};

test('everything that can change a result changes its key', () => {
  const changed: KeyParts<Parameters>[] = [
    { ...parts, task: { ...parts.task, name: 'brain' } },
    { ...parts, task: { ...parts.task, version: 4 } },
    { ...parts, parameters: { used: 2, ignored: 2 } },
    { ...parts, inputs: { ...parts.inputs, atlas: 'cc' } },
    { ...parts, inputs: { atlas: 'aa', 'import-t1/t1.nii.gz': 'bb' } },
    { ...parts, inputs: { atlas: 'bb' } },
    { ...parts, backend: 'scalar' },
  ];
  const keys = [parts, ...changed].map(taskKey);
  expect(new Set(keys).size).toBe(keys.length);
});

test('nothing else does: an unused parameter, or the order of the inputs', () => {
  expect(taskKey({ ...parts, parameters: { used: 1, ignored: 9 } })).toBe(taskKey(parts));
  expect(taskKey({ ...parts, inputs: { atlas: 'bb', 'import-t1/t1.nii.gz': 'aa' } })).toBe(taskKey(parts));
});

test('a key is stable for ever: results made by earlier releases are found', () => {
  expect(taskKey(parts)).toBe('78b1b373adab04a87bb21ad56c295f2de2b2c851a8c00ef38d446a578da18825');
});

test('canonical JSON is JSON whose text does not depend on the order of keys', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
      const reversed = Object.fromEntries(Object.entries(value).reverse());
      expect(digestOf(reversed)).toBe(digestOf(value));
      expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
  expect(canonicalJson({ b: undefined, a: [1, undefined, { d: null, c: 'x' }] })).toBe(
    '{"a":[1,null,{"c":"x","d":null}]}',
  );
});
