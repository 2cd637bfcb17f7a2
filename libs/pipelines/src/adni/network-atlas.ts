/** The labels of the atlas's regions by a segmentation network, in place of a registration. */
import { EngramError } from '@engram/errors';
import { digestOf } from '../canonical-json.ts';
import { judgeLabels } from '../segmenter/judge-labels.ts';
import { labelByNetwork } from '../segmenter/label-by-network.ts';
import { openSegmenter, type Segmenter } from '../segmenter/open-segmenter.ts';
import type { TaskContext } from '../task.ts';
import type { AtlasSummary } from './atlas-summary.ts';
import { readBrainSummary } from './brain.ts';
import { readImage, readImageAndHeader, readMaskOf, writeImage, writeJson } from './files.ts';
import type { AdniParameters } from './parameters.ts';

/** Writes what the `atlas` task writes, from the segmenter among its inputs. @throws MODEL_INVALID, MODEL_CORRUPT */
export async function networkAtlas(context: TaskContext<AdniParameters>): Promise<void> {
  const { volume: t1, header } = await readImageAndHeader(context, 'n4/n4.nii.gz');
  const brain = await readMaskOf(context, 'brain/brain_mask.nii.gz');
  const { to_template: affine } = await readBrainSummary(context);
  const segmenter = await open(context);
  try {
    const labels = await labelByNetwork(t1, brain, segmenter, context.device, (f) => context.progress(0.9 * f));
    const gm = await readImage(context, 'tissue/gm.nii.gz');
    const { grade, metrics } = judgeLabels({ labels, gm, toTemplate: affine });
    await writeImage(context, 'atlas_in_t1.nii.gz', labels, { like: header });
    const { name, version } = segmenter.manifest;
    const summary: AtlasSummary = {
      method: 'network',
      metric: 'largest posterior',
      iterations: 0,
      convergence: 0,
      affine: [...affine],
      segmenter: { name, version, sha256: context.input('segmenter').sha256 },
      registration_quality: grade,
      metrics: [...metrics],
    };
    await writeJson(context, 'atlas.json', summary);
    context.note(
      `labels by ${name} ${version}, ${grade}: ${metrics.map((each) => `${each.name} ${each.value}`).join(', ')}`,
    );
  } finally {
    await segmenter.close();
  }
}

async function open({ input, device }: TaskContext<AdniParameters>): Promise<Segmenter> {
  const { path, sha256 } = input('segmenter');
  const segmenter = await openSegmenter(path, device.info.threads);
  if (digestOf(segmenter.manifest) === sha256) return segmenter;
  await segmenter.close();
  // The result would be kept under the name of another network's.
  throw new EngramError('MODEL_CORRUPT', 'manifest.json changed after the run had begun', { file: 'manifest.json' });
}
