/**
 * Five voxel types of a T1 image: three pure tissues and two mixtures of neighbours in intensity. A mixture holds a share
 * alpha of the brighter tissue, uniform on 0..1 (Santago & Gage 1993), so its density is a Gaussian smeared between two means.
 */

/** Order everywhere: CSF, GM, WM. */
export type Triple = readonly [number, number, number];

/** Voxel types: csf, gm, wm, csf|gm, gm|wm. */
export const typeCount = 5;

/** Gaussian parameters of the three tissues, and the share of voxels of each of the five types. */
export interface TissueModel {
  readonly means: Triple;
  readonly variances: Triple;
  readonly shares: readonly number[];
}

/** Densities and tissue fractions tabulated over intensity: bin b is at origin + b * step. */
export interface ModelTable {
  readonly origin: number;
  readonly step: number;
  readonly bins: number;
  /** density[type * bins + b] */
  readonly density: Float64Array;
  /** Expected share of the brighter tissue in csf|gm (first `bins`) and gm|wm (next `bins`), given the intensity. */
  readonly brighter: Float64Array;
}

const alphaSteps = 16;

/** Tabulates the model over `bins` intensities. */
export function tabulate(model: TissueModel, origin: number, step: number, bins: number): ModelTable {
  const density = new Float64Array(typeCount * bins);
  const brighter = new Float64Array(2 * bins);
  for (let b = 0; b < bins; b++) {
    const v = origin + b * step;
    for (let k = 0; k < 3; k++) density[k * bins + b] = gaussian(v, model.means[k]!, model.variances[k]!);
    for (let pair = 0; pair < 2; pair++) {
      let sum = 0;
      let weighted = 0;
      for (let s = 0; s < alphaSteps; s++) {
        const alpha = (s + 0.5) / alphaSteps;
        const p = gaussian(v, mix(model.means, pair, alpha), mix(model.variances, pair, alpha));
        sum += p;
        weighted += alpha * p;
      }
      density[(3 + pair) * bins + b] = sum / alphaSteps;
      // Far from both means every density underflows to 0: the nearer mean decides.
      const middle = mix(model.means, pair, 0.5);
      brighter[pair * bins + b] = sum > 0 ? weighted / sum : v > middle ? 1 : 0;
    }
  }
  return { origin, step, bins, density, brighter };
}

function mix(values: Triple, pair: number, alpha: number): number {
  return (1 - alpha) * values[pair]! + alpha * values[pair + 1]!;
}

function gaussian(v: number, mean: number, variance: number): number {
  const d = v - mean;
  return Math.exp((-d * d) / (2 * variance)) / Math.sqrt(2 * Math.PI * variance);
}
