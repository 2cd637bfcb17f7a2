/** Waiting before another try: a random time up to 100 ms × 2ⁿ⁻¹, at most 5 s ("full jitter"). */
import { setTimeout as sleep } from 'node:timers/promises';

const BASE_MS = 100;
const CAP_MS = 5_000;

/** `attempt` counts from 1. */
export const backoff = (attempt: number): Promise<void> =>
  sleep(Math.random() * Math.min(CAP_MS, BASE_MS * 2 ** (attempt - 1)));
