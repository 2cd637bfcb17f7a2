import type { QualityMetrics } from '@engram/contracts';
import {
  assessMotion,
  petQuality,
  type QualityMetric,
  reasonsOf,
  t1Quality,
  type Verdict,
  worst,
} from '@engram/imaging';
import { defineTask, type TaskContext } from '../task.ts';
import { type AtlasSummary, readAtlasSummary } from './atlas-summary.ts';
import { readBrainSummary } from './brain.ts';
import { readImage, readMaskOf, writeJson } from './files.ts';
import type { AdniParameters } from './parameters.ts';
import { readAlignment } from './pet-to-t1.ts';

/** Below this the brain mask's own confidence asks for a look. */
const LEAST_CONFIDENCE = 0.5;

/** Judges the session: every metric with its formula and threshold, one verdict with its reasons. */
export const quality = defineTask<AdniParameters>({
  name: 'quality',
  version: 2,
  needs: ['import-t1', 'n4', 'brain', 'tissue', 'atlas'],
  uses: ['pet-to-t1', 'suvr'],
  weight: 3,
  outputs: ['quality_metrics.json'],
  parameterKeys: [],
  run: async (context) => {
    const brain = await readMaskOf(context, 'brain/brain_mask.nii.gz');
    const gm = await readImage(context, 'tissue/gm.nii.gz');
    const wm = await readImage(context, 'tissue/wm.nii.gz');
    const t1 = await readImage(context, 'n4/n4.nii.gz');
    const motion = assessMotion(await readImage(context, 'import-t1/t1.nii.gz'));
    context.progress(0.5);
    const atlas = await readAtlasSummary(context);
    const { confidence, warnings } = await readBrainSummary(context);
    const pet = context.has('suvr/pet_suvr.nii.gz') ? await judgePet(context, { brain, gm, wm }) : [];
    const metrics: QualityMetric[] = [
      ...t1Quality({ t1, brain, gm, wm }),
      ...(motion.metric ? [motion.metric] : []),
      ...atlas.metrics,
      ...pet,
    ];
    const further = furtherReasons(atlas.method, confidence);
    const value = (name: string): number | null => metrics.find((metric) => metric.name === name)?.value ?? null;
    const report: QualityMetrics = {
      schema: 'engram/quality-metrics/1',
      verdict: worst([...metrics.map(({ verdict }) => verdict), ...further.map(({ verdict }) => verdict)]),
      reasons: [...further.map(({ verdict, reason }) => `${verdict}: ${reason}`), ...reasonsOf(metrics)],
      mri_snr: value('mri_snr') ?? 0,
      mri_brain_volume_ml: value('mri_brain_volume_ml') ?? 0,
      pet_mean_suvr: value('pet_mean_suvr'),
      pet_std_suvr: value('pet_std_suvr'),
      registration_quality: atlas.registration_quality,
      motion_artifacts: motion.artifacts,
      preprocessing_warnings: warnings,
      metrics,
    };
    await writeJson(context, 'quality_metrics.json', report);
    context.note(`${report.verdict}, registration ${report.registration_quality}, motion ${report.motion_artifacts}`);
  },
});

function furtherReasons(
  method: AtlasSummary['method'],
  confidence: number,
): readonly { readonly verdict: Verdict; readonly reason: string }[] {
  const out: { verdict: Verdict; reason: string }[] = [];
  if (method === 'affine')
    out.push({
      verdict: 'review',
      reason: 'the atlas was laid on by an affine map only; the deformable one was judged bad',
    });
  if (method === 'rigid')
    out.push({ verdict: 'fail', reason: 'the atlas was laid on by a rigid map only: pictures, no features' });
  if (confidence < LEAST_CONFIDENCE)
    out.push({ verdict: 'review', reason: `the brain mask is doubtful (confidence ${confidence.toFixed(2)})` });
  return out;
}

async function judgePet(
  context: TaskContext<AdniParameters>,
  { brain, gm, wm }: Pick<Parameters<typeof petQuality>[0], 'brain' | 'gm' | 'wm'>,
): Promise<readonly QualityMetric[]> {
  const suvr = await readImage(context, 'suvr/pet_suvr.nii.gz');
  const fov = await readMaskOf(context, 'pet-to-t1/pet_fov.nii.gz');
  const csf = await readImage(context, 'tissue/csf.nii.gz');
  const { normalised } = await readAlignment(context);
  return petQuality({ suvr, fov, brain, gm, wm, csf, normalisedMutualInformation: normalised }, context.device);
}
