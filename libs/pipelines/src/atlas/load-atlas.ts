/** Reads an atlas's images and derives what they imply. */
import { join } from 'node:path';
import { AAL_93 } from '@engram/contracts';
import { EngramError } from '@engram/errors';
import { readLabels, readNifti } from '@engram/formats';
import { type LabelVolume, sameGrid, type Volume } from '@engram/volume';
import { type DerivedTemplate, deriveTemplate } from './derive.ts';
import type { AtlasFolder } from './ensure-atlas.ts';
import type { AtlasManifest } from './manifest.ts';

export interface Atlas extends DerivedTemplate {
  readonly name: string;
  readonly version: string;
  readonly sha256: string;
  /** Whole head. */
  readonly t1: Volume;
  /** The same, 0 outside the brain. */
  readonly t1Brain: Volume;
  /** AAL values 1 to 116 on the same grid. */
  readonly labels: LabelVolume;
}

/** @throws ATLAS_UNAVAILABLE when the images lie on different grids or a label has no region. */
export async function loadAtlas(folder: AtlasFolder): Promise<Atlas> {
  const { dir, manifest } = folder;
  const [t1, brain, labels] = await Promise.all([
    readNifti(join(dir, manifest.t1.file)),
    readNifti(join(dir, manifest.brain.file)),
    readLabels(join(dir, manifest.labels.file)),
  ]);
  for (const [image, { file }] of [
    [brain.volume, manifest.brain],
    [labels.labels, manifest.labels],
  ] as const)
    if (!sameGrid(t1.volume, image))
      throw new EngramError('ATLAS_UNAVAILABLE', `${file} is not on the grid of ${manifest.t1.file}`, { file });
  const aal = toAal(labels.labels, manifest);
  return {
    name: manifest.name,
    version: manifest.version,
    sha256: folder.sha256,
    t1: t1.volume,
    t1Brain: brain.volume,
    labels: aal,
    ...deriveTemplate(brain.volume, aal),
  };
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
