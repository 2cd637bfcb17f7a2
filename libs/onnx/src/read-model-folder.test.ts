import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { readModelFolder } from './read-model-folder.ts';

const schema = z.object({ file: z.string(), sha256: z.string(), opset: z.int() });
const bytes = Uint8Array.of(1, 2, 3);
const sound = { file: 'm.onnx', sha256: createHash('sha256').update(bytes).digest('hex'), opset: 17 };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'engram-onnx-'));
  await writeFile(join(folder, 'm.onnx'), bytes);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const manifest = (text: string): Promise<void> => writeFile(join(folder, 'manifest.json'), text);

test('a sound folder gives its manifest and the bytes it names', async () => {
  await manifest(JSON.stringify(sound));
  const read = await readModelFolder(folder, schema);
  expect(read.manifest).toEqual(sound);
  expect([...read.bytes]).toEqual([1, 2, 3]);
});

test.each([
  ['a file of other bytes', { ...sound, sha256: '0'.repeat(64) }, { code: 'MODEL_CORRUPT', file: 'm.onnx' }],
  ['a file that is not there', { ...sound, file: 'n.onnx' }, { code: 'MODEL_CORRUPT', file: 'n.onnx' }],
  [
    'a wrong field',
    { ...sound, opset: 'new' },
    { code: 'MODEL_INVALID', file: 'manifest.json', field: 'opset', message: expect.stringContaining('opset') },
  ],
])('%s is refused by name', async (_, content, error) => {
  await manifest(JSON.stringify(content));
  await expect(readModelFolder(folder, schema)).rejects.toMatchObject(error);
});

test('a folder without a manifest, and a manifest that is no JSON, are refused', async () => {
  await expect(readModelFolder(folder, schema)).rejects.toMatchObject({ code: 'MODEL_INVALID', file: 'manifest.json' });
  await manifest('{');
  await expect(readModelFolder(folder, schema)).rejects.toThrow('not JSON');
});
