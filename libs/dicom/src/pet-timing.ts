/** When each frame of a PET was measured, from DICOM headers or from a BIDS sidecar. */
import type { Instance } from './instance.ts';
import type { DicomSeries } from './read-headers.ts';

export interface PetTiming {
  /** Seconds after `zero`, and seconds. Ordered by start. */
  readonly frames: readonly { readonly start: number; readonly duration: number }[];
  /** What time counts from: the injection where the header gives it, else the first frame. */
  readonly zero: 'injection' | 'scan';
}

/** Seconds since the epoch of `YYYYMMDD` and `HHMMSS.F`, time zone left out: only differences count. */
function seconds(date: string, time: string): number | null {
  if (!/^\d{8}$/.test(date) || !/^\d{4,6}(\.\d+)?$/.test(time)) return null;
  const day = Date.UTC(Number(date.slice(0, 4)), Number(date.slice(4, 6)) - 1, Number(date.slice(6))) / 1000;
  const [hours, minutes, rest] = [Number(time.slice(0, 2)), Number(time.slice(2, 4)), Number(time.slice(4) || 0)];
  return day + hours * 3600 + minutes * 60 + rest;
}

const HALF_DAY = 43_200;
const LONGEST_UPTAKE = 6 * 3600;

/** Injection before the scan: a start time without a date lies on the scan's day, or on the day before past midnight. */
function injectionOf(instance: Instance, firstFrame: number): number | null {
  const { injectionDateTime: whole, injectionTime: time, acquiredDate: date } = instance;
  const exact = whole === '' ? null : seconds(whole.slice(0, 8), whole.slice(8).replace(/[+-]\d{4}$/, ''));
  let injection = exact ?? seconds(date, time);
  if (injection === null) return null;
  if (exact === null && injection - firstFrame > HALF_DAY) injection -= 86_400;
  const wait = firstFrame - injection;
  return wait >= 0 && wait <= LONGEST_UPTAKE ? injection : null;
}

/** null where frames lack a time or a duration, or do not follow each other. */
export function petTimingOf(series: DicomSeries): PetTiming | null {
  const byStart = new Map<number, number>();
  for (const { instance } of series.files) {
    const start = seconds(instance.acquiredDate, instance.acquiredTime);
    if (start === null || instance.frameDuration === null || instance.frameDuration <= 0) return null;
    byStart.set(start, instance.frameDuration / 1000);
  }
  const starts = [...byStart].sort(([a], [b]) => a - b);
  if (starts.length === 0) return null;
  const [firstStart] = starts[0];
  const injection = injectionOf(series.files[0].instance, firstStart);
  const zero = injection ?? firstStart;
  return sound(
    starts.map(([start, duration]) => ({ start: start - zero, duration })),
    injection === null ? 'scan' : 'injection',
  );
}

/**
 * From `FrameTimesStart` and `FrameDuration` (seconds). BIDS counts from TimeZero, by convention the injection where
 * `InjectionStart` says 0, else the scan.
 */
export function petTimingOfSidecar(sidecar: Readonly<Record<string, unknown>>): PetTiming | null {
  const list = (key: string): readonly number[] => {
    const value = sidecar[key];
    const values: readonly unknown[] = Array.isArray(value) ? value : [value];
    return values.flatMap((one) => (typeof one === 'number' && Number.isFinite(one) ? [one] : []));
  };
  const [starts, durations] = [list('FrameTimesStart'), list('FrameDuration')];
  if (starts.length === 0 || starts.length !== durations.length) return null;
  const injection = list('InjectionStart')[0];
  const frames = starts.map((start, index) => ({ start: start - (injection ?? 0), duration: durations[index] }));
  return sound(frames, injection === undefined ? 'scan' : 'injection');
}

function sound(frames: PetTiming['frames'], zero: PetTiming['zero']): PetTiming | null {
  for (const [index, { start, duration }] of frames.entries()) {
    const before = frames[index - 1];
    // A second of overlap is rounding of the time stamps.
    if (!(duration > 0) || (before !== undefined && start + 1 < before.start + before.duration)) return null;
  }
  return { frames, zero };
}
