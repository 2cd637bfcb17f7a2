/** Which frames of a dynamic PET series are averaged, and with what weight. */
import { EngramError } from '@engram/errors';

export interface FrameTiming {
  /** Seconds after injection, one a frame. */
  readonly startsS: readonly number[];
  readonly durationsS: readonly number[];
}

export interface FrameChoice {
  /** Indices in the order of the series. */
  readonly frames: readonly number[];
  /** Seconds, or 1 for each where the times are not known. */
  readonly weights: readonly number[];
  /** First start and last end of the frames taken, seconds after injection; null without frame times. */
  readonly windowS: readonly [number, number] | null;
  readonly warnings: readonly string[];
}

/**
 * The frames whose middle lies in the window, weighted by their duration.
 *
 * @throws PET_TIMING_INVALID when the times do not fit the number of frames, or a duration is not positive.
 */
export function chooseFrames(
  count: number,
  timing: FrameTiming | null,
  window?: readonly [number, number],
): FrameChoice {
  const every = Array.from({ length: count }, (_, frame) => frame);
  if (timing === null) {
    const warnings = count > 1 ? [`Without frame times: plain mean of ${count} frames`] : [];
    return { frames: every, weights: every.map(() => 1), windowS: null, warnings };
  }
  const { startsS, durationsS } = timing;
  if (startsS.length !== count || durationsS.length !== count) {
    const given = `${startsS.length} starts and ${durationsS.length} durations`;
    throw new EngramError('PET_TIMING_INVALID', `The PET has ${count} frames but ${given}`, {
      field: 'FrameTimesStart',
    });
  }
  for (const frame of every) {
    if (!Number.isFinite(startsS[frame]) || !(durationsS[frame] > 0) || !Number.isFinite(durationsS[frame])) {
      throw new EngramError('PET_TIMING_INVALID', `Frame ${frame + 1} has no valid start and duration`, {
        field: 'FrameDuration',
      });
    }
  }
  const warnings: string[] = [];
  let frames = every;
  if (window === undefined) {
    if (count > 1) warnings.push(`No time window for the tracer: mean of all ${count} frames`);
  } else {
    const [from, to] = window;
    frames = every.filter((f) => startsS[f] + durationsS[f] / 2 >= from && startsS[f] + durationsS[f] / 2 <= to);
    if (frames.length === 0) {
      const seen = `${minutes(startsS[0])} to ${minutes(startsS[count - 1] + durationsS[count - 1])} min`;
      warnings.push(
        `No frame lies in the tracer's window of ${minutes(from)} to ${minutes(to)} min (${seen} seen): mean of all frames`,
      );
      frames = every;
    }
  }
  return {
    frames,
    weights: frames.map((f) => durationsS[f]),
    windowS: [Math.min(...frames.map((f) => startsS[f])), Math.max(...frames.map((f) => startsS[f] + durationsS[f]))],
    warnings,
  };
}

const minutes = (seconds: number) => Math.round(seconds / 6) / 10;
