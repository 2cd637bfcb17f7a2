/** The quality distribution over the versions in use: what the dashboard draws. Pure. */
import type { QualityDistribution } from '@engram/contracts';
import { currentVersion, type FeatureSet } from './feature-set.ts';

/** Bin edges: SNR in units of its formula (mean/SD in eroded white matter), SUVR in its own unit. */
const SNR_EDGES = [0, 5, 10, 15, 20, 25, 30, 40, 60] as const;
const SUVR_EDGES = [0, 0.5, 0.75, 1, 1.25, 1.5, 2, 3] as const;

const empty = (edges: readonly number[]): QualityDistribution['mri_snr'] =>
  edges.map((from, k) => ({ from, to: edges[k + 1] ?? Number.MAX_VALUE, count: 0 }));

function place(bins: QualityDistribution['mri_snr'], value: number | null): void {
  const bin = value === null ? undefined : bins.find(({ from, to }) => value >= from && value < to);
  if (bin) bin.count++;
}

const bump = (counts: Record<string, number>, key: string): void => {
  counts[key] = (counts[key] ?? 0) + 1;
};

/** Adds sets one at a time, so that a store of any size is read page by page. */
export function qualityTally(): { add(set: FeatureSet): void; result(): QualityDistribution } {
  const tally: QualityDistribution = {
    feature_sets: 0,
    withdrawn: 0,
    verdict: { pass: 0, review: 0, fail: 0 },
    registration_quality: {},
    motion_artifacts: {},
    mri_snr: empty(SNR_EDGES),
    pet_mean_suvr: empty(SUVR_EDGES),
  };
  return {
    add(set) {
      tally.feature_sets++;
      const version = currentVersion(set);
      if (!version) {
        tally.withdrawn++;
        return;
      }
      tally.verdict[version.qc_verdict]++;
      bump(tally.registration_quality, version.quality.registration_quality);
      bump(tally.motion_artifacts, version.quality.motion_artifacts);
      place(tally.mri_snr, version.quality.mri_snr);
      place(tally.pet_mean_suvr, version.quality.pet_mean_suvr);
    },
    result: () => tally,
  };
}
