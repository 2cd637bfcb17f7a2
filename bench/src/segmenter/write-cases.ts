/**
 * `node bench/src/segmenter/write-cases.ts --out DIR [--maps 03,05] [--contrasts t1,t1-low] [--segmenter DIR]`: the data that
 * `models/segmenter` trains and is judged on. For each label map of `../shared/data/labels` the pipeline's own atlas is
 * registered to a nearly noiseless phantom of it, which carries the 93 regions there (`regions.nii.gz`); with contrasts named,
 * the whole pipeline labels a phantom of each, noisy and shaded, by registration (`route.nii.gz`) and by the network given.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { AAL_93, regionOfLabel } from '@engram/contracts';
import { EngramError } from '@engram/errors';
import { writeNifti } from '@engram/formats';
import { checkSegmenter, type SegmenterFolder } from '@engram/pipelines';
import { type T1Options, t1FromLabels } from '@engram/testing';
import { gridOf, type LabelVolume } from '@engram/volume';
import { readSubject, SUBJECTS } from '../accuracy/label-maps.ts';
import { withPipeline } from '../accuracy/pipeline-on.ts';

/** Background, then a channel for each region under its first label. */
const LABELS = [0, ...AAL_93.regions.map(({ labels }) => labels[0])];

/** Little enough that the registration, not the phantom, decides where a region ends. */
const CLEAN: T1Options = { contrast: 't1', noise: 0.01, biasSd: 0 };

async function labelsOf(map: LabelVolume, phantom: T1Options, segmenter?: SegmenterFolder): Promise<LabelVolume> {
  const { t1 } = t1FromLabels(map, phantom);
  return withPipeline(
    { t1 },
    async ({ outcome, labels }) => {
      if (outcome.error) throw outcome.error;
      return labels('atlas/atlas_in_t1.nii.gz');
    },
    {},
    segmenter ? { segmenter: { path: segmenter.dir, sha256: segmenter.sha256 } } : {},
  );
}

const regionsFile = (): string => {
  const mirror = LABELS.map((_, channel) => {
    const { side } = AAL_93.regions[channel - 1] ?? { side: 'midline' };
    return side === 'left' ? channel + 1 : side === 'right' ? channel - 1 : channel;
  });
  return JSON.stringify({ labels: LABELS, names: ['none', ...AAL_93.regions.map(({ name }) => name)], mirror });
};

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      out: { type: 'string' },
      maps: { type: 'string', default: SUBJECTS.join() },
      contrasts: { type: 'string', default: '' },
      segmenter: { type: 'string' },
    },
  });
  const { out } = values;
  if (out === undefined) throw new EngramError('REQUEST_INVALID', '--out names the folder to write', { field: 'out' });
  const segmenter = values.segmenter === undefined ? undefined : await checkSegmenter(values.segmenter);
  await mkdir(out, { recursive: true });
  await writeFile(join(out, 'regions.json'), regionsFile());
  for (const subject of values.maps.split(',')) {
    const map = await readSubject(subject);
    const write = async (folder: string, name: string, image: LabelVolume): Promise<void> => {
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, `${name}.nii.gz`), writeNifti(image));
      process.stderr.write(`${join(folder, name)}.nii.gz\n`);
    };
    const folder = join(out, subject);
    if (!segmenter) {
      await write(folder, 'structures', map);
      const carried = await labelsOf(map, { ...CLEAN, seed: Number(subject) });
      const channel = (label: number): number => (label === 0 ? 0 : 1 + regionOfLabel[label]);
      await write(folder, 'regions', { ...gridOf(carried), data: carried.data.map(channel) });
    }
    for (const contrast of values.contrasts.split(',').filter(isContrast)) {
      const labelled = await labelsOf(map, { contrast, seed: Number(subject) }, segmenter);
      await write(join(folder, contrast), segmenter ? 'network' : 'route', labelled);
    }
  }
}

const isContrast = (text: string): text is 't1' | 't1-low' => text === 't1' || text === 't1-low';

await main();
