import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { DEFAULT_MODEL } from './load-model.ts';
import { trainProgression } from './train-progression.ts';

test('training from nothing reproduces the committed model byte for byte', async () => {
  const { onnx, manifest, card } = trainProgression();
  expect(Buffer.from(onnx).equals(await readFile(new URL('model.onnx', DEFAULT_MODEL)))).toBe(true);
  expect(`${JSON.stringify(manifest, null, 1)}\n`).toBe(
    await readFile(new URL('manifest.json', DEFAULT_MODEL), 'utf8'),
  );
  expect(card).toBe(await readFile(new URL('MODEL_CARD.md', DEFAULT_MODEL), 'utf8'));
});
