/** Which intensities of this head can be brain: three tissues fitted to what lies well inside the template's brain. */
import { fitHistogram, histogramOf } from '../tissue/fit-histogram.ts';

export interface BrainTissue {
  /** Half way from fluid to grey matter: darker is no brain tissue. */
  readonly darkest: number;
  /** Well above white matter: brighter is fat or a vessel. */
  readonly brightest: number;
  /** Means of CSF, GM and WM. */
  readonly means: readonly [number, number, number];
}

/**
 * Null when hardly anything lies inside the template's brain. `head` is NaN outside the field of view; `ventricles` is 1 in
 * the template's.
 */
export function brainTissue(head: Float32Array, distance: Float32Array, ventricles: Uint8Array): BrainTissue | null {
  // 2 mm inside the surface: the affine fit is not exact, and a rim of skull would pass for fluid of another brightness.
  const values = head.filter((v, i) => distance[i] < -2 && v > 0).sort();
  const deep = head.filter((v, i) => ventricles[i] === 1 && v > 0).sort();
  if (values.length < 500 || deep.length < 10) return null;
  const at = (sorted: Float32Array, share: number) => sorted[Math.floor(share * (sorted.length - 1))];
  const high = 1.1 * at(values, 0.998);
  // The template's ventricles lie partly beside the head's own: their darker part is fluid.
  const fluid = at(deep, 0.15);
  const model = fitHistogram(histogramOf(values, 0, high, 256), fluid);
  const bright = values.subarray(values.findIndex((v) => v > 0.5 * (fluid + at(values, 0.9))));
  // Grey and white that cannot be told apart (low contrast) still stand out from the fluid.
  const [csf, gm, wm] = model?.means ?? [fluid, at(bright, 0.3), at(bright, 0.8)];
  const spread = model === null ? 0 : Math.sqrt(model.variances[2]);
  return {
    darkest: csf + 0.5 * (gm - csf),
    brightest: wm + Math.max(3.5 * spread, 0.6 * (wm - gm), 0.15 * wm),
    means: [csf, gm, wm],
  };
}
