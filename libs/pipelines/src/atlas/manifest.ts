/**
 * `atlas.json`: an atlas is a folder with three images on one grid and this manifest. Label values of another atlas are
 * mapped to the 93 regions by name.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EngramError } from '@engram/errors';
import { z } from 'zod';

const file = z.object({
  file: z.string().regex(/^[^/\\]+$/, 'a file name in the folder'),
  sha256: z.string().length(64),
});

export const atlasManifest = z.object({
  schema: z.literal('engram/atlas/1'),
  name: z.string().min(1),
  version: z.string().min(1),
  source: z.string(),
  licence: z.string(),
  /** Whole-head T1 in RAS mm of the template space. */
  t1: file,
  /** The same image, 0 outside the brain. */
  brain: file,
  /** Label values on the same grid. */
  labels: file,
  /** Which region each value belongs to; absent when the values are AAL's own 1 to 116. */
  label_list: z.array(z.object({ value: z.int().min(1).max(65535), region: z.string() })).optional(),
});
export type AtlasManifest = z.infer<typeof atlasManifest>;

export const MANIFEST_NAME = 'atlas.json';

/** @throws ATLAS_UNAVAILABLE naming the folder's fault. */
export async function readManifest(dir: string): Promise<AtlasManifest> {
  let text: string;
  try {
    text = await readFile(join(dir, MANIFEST_NAME), 'utf8');
  } catch (cause) {
    throw new EngramError('ATLAS_UNAVAILABLE', `the atlas folder holds no readable ${MANIFEST_NAME}`, {
      file: MANIFEST_NAME,
      cause,
    });
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new EngramError('ATLAS_UNAVAILABLE', `${MANIFEST_NAME} is not JSON`, { file: MANIFEST_NAME, cause });
  }
  const parsed = atlasManifest.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const field = issue.path.join('.');
    throw new EngramError('ATLAS_UNAVAILABLE', `${MANIFEST_NAME}, ${field || 'top level'}: ${issue.message}`, {
      file: MANIFEST_NAME,
      field,
    });
  }
  return parsed.data;
}
