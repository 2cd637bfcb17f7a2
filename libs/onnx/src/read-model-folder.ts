/** A model folder: `manifest.json`, which says what the model is and carries the sha256 of the ONNX file beside it. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EngramError } from '@engram/errors';
import type { z } from 'zod';

/** What every manifest says. */
export interface ModelFile {
  /** Name of the ONNX file in the folder. */
  readonly file: string;
  /** Of its bytes, hex. */
  readonly sha256: string;
}

const MANIFEST = 'manifest.json';

const invalid = (message: string, more: { readonly field?: string; readonly cause?: unknown } = {}): EngramError =>
  new EngramError('MODEL_INVALID', message, { file: MANIFEST, ...more });

/**
 * @throws MODEL_INVALID naming the field of manifest.json that is wrong, or that there is none; MODEL_CORRUPT when the ONNX
 * file is absent or not the one the manifest was written for.
 */
export async function readModelFolder<M extends ModelFile>(
  folder: string,
  schema: z.ZodType<M>,
): Promise<{ readonly manifest: M; readonly bytes: Uint8Array }> {
  const manifest = await readManifest(folder, schema);
  const { file, sha256 } = manifest;
  const bytes = await readFile(join(folder, file)).catch((cause: unknown) => {
    throw new EngramError('MODEL_CORRUPT', `${file} is not in the model folder`, { file, cause });
  });
  if (createHash('sha256').update(bytes).digest('hex') !== sha256)
    throw new EngramError('MODEL_CORRUPT', `${file} does not have the sha256 of its manifest`, { file });
  return { manifest, bytes };
}

async function readManifest<M>(folder: string, schema: z.ZodType<M>): Promise<M> {
  const text = await readFile(join(folder, MANIFEST), 'utf8').catch((cause: unknown) => {
    throw invalid('the model folder has no manifest.json', { cause });
  });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw invalid('manifest.json is not JSON', { cause });
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue?.path.join('.') ?? '';
  throw invalid(`manifest.json, ${field || 'top level'}: ${issue?.message}`, { field });
}
