/** Real heads: no truth, so what the pipeline says of them and whether it is plausible. */
import { sharedData } from '@engram/testing';
import { withPipeline } from './pipeline-on.ts';

export const HEADS = [
  'IXI015-HH-1258_T1',
  'fnndsc_adi_T1_1p5mm',
  'hippodeep_T1_1p75mm',
  'studyforrest_T1_1p5mm',
] as const;

export interface HeadScores {
  readonly head: string;
  readonly status: string;
  readonly verdict: string;
  readonly brainMl: number;
  readonly headMl: number;
  readonly greyMl: number;
  readonly whiteMl: number;
  readonly ventriclesMl: number;
  readonly registration: string;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly peakMemoryMb: number;
  readonly device: string;
}

export function scoreHead(head: string): Promise<HeadScores> {
  return withPipeline({ t1: sharedData('t1', `${head}.nii.gz`) }, async ({ outcome, json }) => {
    if (outcome.error) throw outcome.error;
    const features = await json('features/features.json');
    const quality = (await json('quality/quality_metrics.json')) as {
      verdict: string;
      mri_brain_volume_ml: number;
      registration_quality: string;
    };
    const tissue = features['tissue_ml'] as { gm: number; wm: number; ventricles: number };
    return {
      head,
      status: outcome.status,
      verdict: quality.verdict,
      brainMl: quality.mri_brain_volume_ml,
      headMl: Number(features['head_size_ml']),
      greyMl: tissue.gm,
      whiteMl: tissue.wm,
      ventriclesMl: tissue.ventricles,
      registration: quality.registration_quality,
      seconds: outcome.seconds,
      cpuSeconds: outcome.cpuSeconds,
      peakMemoryMb: outcome.peakMemoryMb,
      device: outcome.device.name,
    };
  });
}
