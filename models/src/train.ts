/**
 * Trains the forecast model and writes its folder. The same options give the same bytes.
 *
 *   node models/src/train.ts                          the default model from the simulated cohort
 *   node models/src/train.ts --table visits.csv --out my-model   a site's own table
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { DEFAULT_MODEL } from './load-model.ts';
import { TRAIN_DEFAULTS, trainProgression } from './train-progression.ts';

const { values } = parseArgs({
  options: { table: { type: 'string' }, out: { type: 'string' }, seed: { type: 'string' } },
});
const table = values.table ? { name: basename(values.table), text: await readFile(values.table, 'utf8') } : undefined;
const out = values.out ?? fileURLToPath(DEFAULT_MODEL);
const { onnx, manifest, card } = trainProgression({
  ...TRAIN_DEFAULTS,
  ...(values.seed ? { seed: Number(values.seed) } : {}),
  table,
});
await mkdir(out, { recursive: true });
await writeFile(join(out, manifest.file), onnx);
await writeFile(join(out, 'manifest.json'), `${JSON.stringify(manifest, null, 1)}\n`);
await writeFile(join(out, 'MODEL_CARD.md'), card);
process.stdout.write(`${manifest.model_version}: ${manifest.bytes} bytes, sha256 ${manifest.sha256}\n`);
