/**
 * Mutual information of two images under a linear transform and its exact derivative (Viola & Wells 1997; Mattes et al.,
 * IEEE TMI 22:120, 2003; Thévenaz & Unser, IEEE TIP 9:2083, 2000).
 *
 * With L the fixed bins (box window) and K the moving bins (cubic B-spline window β),
 *   p(l,k) = 1/N Σ_s [l = l_s] β(k − κ_s),      I = Σ p(l,k) log( p(l,k) / (p(l) p(k)) ),
 *   ∂I/∂κ_s = −1/N Σ_k β'(k − κ_s) log( p(l_s,k) / p(k) ),
 * as the fixed marginal does not move and Σ_k β' = 0. κ_s is the moving value at sample s in bins.
 */
import { type Affine, invertAffine, type MaskVolume, multiplyAffines } from '@engram/volume';
import type { Level } from './pyramid.ts';
import type { Samples } from './samples.ts';
import { insideMask, type Similarity, type SimilarityValue } from './similarity.ts';
import { valueRange } from './value-range.ts';

export const BINS = 32;
/** The cubic window reaches two bins beyond the outermost values. */
const PADDING = 2;

/** @param movingMask samples that land outside it are left out. */
export function mutualInformation(samples: Samples, moving: Level, movingMask?: MaskVolume): Similarity {
  const { count, points } = samples;
  const fixedBin = binOfFixed(samples);
  const range = valueRange(moving.data);
  const perBin = (BINS - 2 * PADDING - 1) / (range.high - range.low);
  const toVoxel = invertAffine(moving.affine);
  const kappa = new Float64Array(count);
  const slope = new Float32Array(3 * count);
  const joint = new Float64Array(BINS * BINS);
  const logRatio = new Float64Array(BINS * BINS);
  const [nx, ny, nz] = moving.shape;
  const { data } = moving;
  const slice = nx * ny;
  const inMask = movingMask === undefined ? undefined : insideMask(movingMask);

  /** Fills kappa (−1 where the sample is left out), slope and the joint histogram; returns the samples used. */
  function fill(matrix: Affine): number {
    const m = multiplyAffines(toVoxel, matrix);
    const [a0, a1, a2, a3, b0, b1, b2, b3, c0, c1, c2, c3] = m;
    const { low, high } = range;
    joint.fill(0);
    let used = 0;
    for (let s = 0, p = 0; s < count; s++, p += 3) {
      const px = points[p];
      const py = points[p + 1];
      const pz = points[p + 2];
      const x = a0 * px + a1 * py + a2 * pz + a3;
      const y = b0 * px + b1 * py + b2 * pz + b3;
      const z = c0 * px + c1 * py + c2 * pz + c3;
      if (!(x >= 0 && y >= 0 && z >= 0 && x < nx - 1 && y < ny - 1 && z < nz - 1)) {
        kappa[s] = -1;
        continue;
      }
      if (inMask !== undefined && !inMask(matrix, px, py, pz)) {
        kappa[s] = -1;
        continue;
      }
      const i = Math.floor(x);
      const j = Math.floor(y);
      const k = Math.floor(z);
      const fx = x - i;
      const fy = y - j;
      const fz = z - k;
      const at = k * slice + j * nx + i;
      const v000 = data[at];
      const v100 = data[at + 1];
      const v010 = data[at + nx];
      const v110 = data[at + nx + 1];
      const v001 = data[at + slice];
      const v101 = data[at + slice + 1];
      const v011 = data[at + slice + nx];
      const v111 = data[at + slice + nx + 1];
      const e00 = v000 + fx * (v100 - v000);
      const e10 = v010 + fx * (v110 - v010);
      const e01 = v001 + fx * (v101 - v001);
      const e11 = v011 + fx * (v111 - v011);
      const f0 = e00 + fy * (e10 - e00);
      const f1 = e01 + fy * (e11 - e01);
      let value = f0 + fz * (f1 - f0);
      if (value > low && value < high) {
        const dx0 = v100 - v000 + fy * (v110 - v010 - v100 + v000);
        const dx1 = v101 - v001 + fy * (v111 - v011 - v101 + v001);
        slope[p] = dx0 + fz * (dx1 - dx0);
        slope[p + 1] = e10 - e00 + fz * (e11 - e01 - e10 + e00);
        slope[p + 2] = f1 - f0;
      } else {
        value = value > low ? high : low;
        slope[p] = 0;
        slope[p + 1] = 0;
        slope[p + 2] = 0;
      }
      const c = (value - low) * perBin + PADDING;
      kappa[s] = c;
      const bin = Math.floor(c);
      const t = c - bin;
      const u = 1 - t;
      const h = fixedBin[s] * BINS + bin;
      joint[h - 1] += (u * u * u) / 6;
      joint[h] += (4 - 6 * t * t + 3 * t * t * t) / 6;
      joint[h + 1] += (4 - 6 * u * u + 3 * u * u * u) / 6;
      joint[h + 2] += (t * t * t) / 6;
      used++;
    }
    return used;
  }

  /** ∂I/∂(3x4 matrix), from what `fill` left. */
  function entries(used: number): Float64Array {
    const e = new Float64Array(12);
    const gain = perBin / used;
    for (let s = 0, p = 0; s < count; s++, p += 3) {
      const c = kappa[s];
      if (c < 0) continue;
      const gx = slope[p];
      const gy = slope[p + 1];
      const gz = slope[p + 2];
      if (gx === 0 && gy === 0 && gz === 0) continue;
      const bin = Math.floor(c);
      const t = c - bin;
      const u = 1 - t;
      const h = fixedBin[s] * BINS + bin;
      const d =
        gain *
        (-0.5 * u * u * logRatio[h - 1] +
          (1.5 * t * t - 2 * t) * logRatio[h] +
          (2 * u - 1.5 * u * u) * logRatio[h + 1] +
          0.5 * t * t * logRatio[h + 2]);
      const px = points[p];
      const py = points[p + 1];
      const pz = points[p + 2];
      const dx = d * gx;
      const dy = d * gy;
      const dz = d * gz;
      e[0] += dx * px;
      e[1] += dx * py;
      e[2] += dx * pz;
      e[3] += dx;
      e[4] += dy * px;
      e[5] += dy * py;
      e[6] += dy * pz;
      e[7] += dy;
      e[8] += dz * px;
      e[9] += dz * py;
      e[10] += dz * pz;
      e[11] += dz;
    }
    const out = new Float64Array(12);
    for (let row = 0; row < 3; row++)
      for (let column = 0; column < 4; column++)
        for (let k = 0; k < 3; k++) out[row * 4 + column] += toVoxel[k * 4 + row] * e[k * 4 + column];
    return out;
  }

  return (matrix: Affine, withGradient: boolean): SimilarityValue => {
    const used = fill(matrix);
    const overlap = count === 0 ? 0 : used / count;
    if (used === 0) return { value: 0, normalised: 0, overlap, entries: new Float64Array(12) };
    const pf = new Float64Array(BINS);
    const pm = new Float64Array(BINS);
    for (let l = 0, h = 0; l < BINS; l++)
      for (let k = 0; k < BINS; k++, h++) {
        joint[h] /= used;
        pf[l] += joint[h];
        pm[k] += joint[h];
      }
    let value = 0;
    for (let l = 0, h = 0; l < BINS; l++)
      for (let k = 0; k < BINS; k++, h++) {
        const p = joint[h];
        logRatio[h] = p > 0 ? Math.log(p / pm[k]) : 0;
        if (p > 0) value += p * (logRatio[h] - Math.log(pf[l]));
      }
    const sum = entropy(pf) + entropy(pm);
    return {
      value,
      normalised: sum > 0 ? (2 * value) / sum : 0,
      overlap,
      entries: withGradient ? entries(used) : new Float64Array(12),
    };
  };
}

function entropy(p: Float64Array): number {
  let sum = 0;
  for (const v of p) if (v > 0) sum -= v * Math.log(v);
  return sum;
}

/** Bin of every fixed value: equal widths over the robust range, the tails in the end bins. */
function binOfFixed(samples: Samples): Uint8Array {
  const { low, high } = valueRange(samples.values);
  const scale = BINS / (high - low);
  return Uint8Array.from(samples.values, (v) => Math.min(BINS - 1, Math.max(0, Math.floor((v - low) * scale))));
}
