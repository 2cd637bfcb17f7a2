/** Is it a head, and how sure are we of its brain? Evidence gathered along the way, judged in one place. */
import { EngramError } from '@engram/errors';

export interface HeadEvidence {
  /** Share of what registration could have explained, 0 to 1 (2 I / (H + H)), over the brain. */
  readonly quality: number;
  /** Smallest and largest stretch of the affine fit (singular values), template mm per T1 mm inverted. */
  readonly stretch: readonly [number, number];
  /** Correlation with the template's intensities in and around its brain. */
  readonly correlation: number;
  /** Dice of the brain found and the template's, after the affine fit. */
  readonly overlap: number;
  /** Volume of the brain found, mL. */
  readonly volume: number;
  /** Share of the template's brain that lies in the field of view. */
  readonly seen: number;
}

export function assertHead(e: HeadEvidence): void {
  const reasons = [
    e.correlation < 0.35 &&
      `its intensities follow those of a head too little (correlation ${e.correlation.toFixed(2)})`,
    e.overlap < 0.75 && `what looks like brain tissue has not the shape of a brain (overlap ${e.overlap.toFixed(2)})`,
    (e.stretch[0] < 0.55 || e.stretch[1] > 1.8) && 'its proportions are not those of a head',
    e.seen > 0.95 && (e.volume < 450 || e.volume > 2300) && `a brain of ${Math.round(e.volume)} mL does not exist`,
  ].filter((r) => r !== false);
  if (reasons.length > 0) throw new EngramError('NOT_A_HEAD', `The image does not show a head: ${reasons.join('; ')}`);
}

export function confidenceOf(e: HeadEvidence): { confidence: number; warnings: string[] } {
  const ramp = (v: number, from: number, to: number) => Math.min(Math.max((v - from) / (to - from), 0), 1);
  const confidence = ramp(e.correlation, 0.2, 0.55) * ramp(e.overlap, 0.65, 0.85) * ramp(e.seen, 0.5, 0.95);
  const warnings: string[] = [];
  if (e.seen < 0.98) warnings.push(`The field of view cuts the brain: ${Math.round(100 * e.seen)} % of it is seen`);
  if (e.overlap < 0.8)
    warnings.push(`The brain differs much from the template's shape (overlap ${e.overlap.toFixed(2)})`);
  if (e.volume < 700 || e.volume > 1900)
    warnings.push(`The brain measures ${Math.round(e.volume)} mL, which is unusual`);
  return { confidence, warnings };
}
