/** Reads an atlas's images and derives what they imply. */
import { join } from 'node:path';
import { AAL_93 } from '@engram/contracts';
import { EngramError } from '@engram/errors';
import { readLabels, readNifti } from '@engram/formats';
import { type Grid, type LabelVolume, sameGrid, type Volume } from '@engram/volume';
import { type DerivedTemplate, deriveTemplate } from './derive.ts';
import type { AtlasFolder } from './ensure-atlas.ts';
import type { AtlasManifest } from './manifest.ts';

export interface AtlasImages {
  /** Whole head. */
  readonly t1: Volume;
  /** AAL values 1 to 116 on the same grid. */
  readonly labels: LabelVolume;
}

export interface Atlas extends AtlasImages, DerivedTemplate {
  readonly name: string;
  readonly version: string;
  readonly sha256: string;
  /** `t1`, 0 outside the brain. */
  readonly t1Brain: Volume;
}

/** The images alone. @throws ATLAS_UNAVAILABLE when they lie on different grids or a label has no region. */
export async function readAtlasImages({ dir, manifest }: Pick<AtlasFolder, 'dir' | 'manifest'>): Promise<AtlasImages> {
  const [{ volume: t1 }, { labels }] = await Promise.all([
    readNifti(join(dir, manifest.t1.file)),
    readLabels(join(dir, manifest.labels.file)),
  ]);
  checkGrid(t1, labels, manifest.labels.file, manifest);
  return { t1, labels: toAal(labels, manifest) };
}

/** The images and what follows from them. @throws ATLAS_UNAVAILABLE as `readAtlasImages`. */
export async function loadAtlas(folder: AtlasFolder): Promise<Atlas> {
  const { dir, manifest } = folder;
  const { t1, labels } = await readAtlasImages(folder);
  const { volume: t1Brain } = await readNifti(join(dir, manifest.brain.file));
  checkGrid(t1, t1Brain, manifest.brain.file, manifest);
  return {
    name: manifest.name,
    version: manifest.version,
    sha256: folder.sha256,
    t1,
    t1Brain,
    labels,
    ...deriveTemplate(t1Brain, labels),
  };
}

function checkGrid(t1: Grid, other: Grid, file: string, manifest: AtlasManifest): void {
  if (!sameGrid(t1, other))
    throw new EngramError('ATLAS_UNAVAILABLE', `${file} is not on the grid of ${manifest.t1.file}`, { file });
}

/** Values of another atlas become the first AAL label of the region they name. */
function toAal(labels: LabelVolume, { label_list: list, labels: { file } }: AtlasManifest): LabelVolume {
  const table = new Map<number, number>(list ? [] : Array.from({ length: 116 }, (_, k) => [k + 1, k + 1]));
  for (const { value, region } of list ?? []) {
    const found = AAL_93.regions.find(({ name }) => name === region);
    if (!found)
      throw new EngramError('ATLAS_UNAVAILABLE', `atlas.json names a region that ${AAL_93.id} lacks: ${region}`, {
        file: 'atlas.json',
        field: 'label_list',
      });
    table.set(value, found.labels[0]);
  }
  const data = new Uint16Array(labels.data.length);
  for (let at = 0; at < data.length; at++) {
    const value = labels.data[at];
    if (value === 0) continue;
    const aal = table.get(value);
    if (aal === undefined)
      throw new EngramError('ATLAS_UNAVAILABLE', `${file} holds the value ${value}, which no region claims`, { file });
    data[at] = aal;
  }
  return { shape: labels.shape, affine: labels.affine, data };
}
