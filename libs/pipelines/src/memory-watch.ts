/** Resident memory of another process, Linux's /proc; elsewhere the ceiling is the WASM maximum alone. */
import { readFileSync, writeFileSync } from 'node:fs';

export interface MemoryWatch {
  /** Largest resident size since `reset`, MB. */
  peakMb(): number;
  reset(): void;
  stop(): void;
}

const INTERVAL_MS = 100;

/** Calls `exceeded` once when the process grows beyond `limitMb`. */
export function watchMemory(pid: number, limitMb: number, exceeded: (mb: number) => void): MemoryWatch {
  let peak = 0;
  let told = false;
  const sample = (): void => {
    const now = residentMb(pid);
    peak = Math.max(peak, now.peak);
    if (now.current <= limitMb || told) return;
    told = true;
    exceeded(now.current);
  };
  const timer = setInterval(sample, INTERVAL_MS);
  timer.unref();
  return {
    peakMb: () => {
      sample();
      return peak;
    },
    reset: () => {
      peak = 0;
      try {
        // Sets the high-water mark back to the current size (proc(5)), so that each task has its own peak.
        writeFileSync(`/proc/${pid}/clear_refs`, '5');
      } catch {
        // Not Linux, or not allowed: the peak is then that of the process so far.
      }
    },
    stop: () => clearInterval(timer),
  };
}

function residentMb(pid: number): { current: number; peak: number } {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const kb = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);
    return { current: kb('VmRSS') / 1024, peak: kb('VmHWM') / 1024 };
  } catch {
    return { current: 0, peak: 0 };
  }
}
