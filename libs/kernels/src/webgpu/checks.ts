/// <reference types="@webgpu/types" />
import { setImmediate } from 'node:timers/promises';
import { EngramError } from '@engram/errors';

/**
 * What goes wrong on a GPU is told later. Every command runs inside error scopes, and every result is handed out only when
 * the scopes before it have answered: an error never passes for a volume of zeros.
 */
export interface Checks {
  /** @throws DEVICE_LOST */
  alive(): void;
  begin(): void;
  end(): void;
  /** Waits for all scopes that have ended. @throws DEVICE_OUT_OF_MEMORY, DEVICE_LOST, INTERNAL: the first thing that went wrong. */
  settle(): Promise<void>;
  /** What a rejection of the GPU's means. */
  coded(cause: unknown): Promise<EngramError>;
}

export function createChecks(device: GPUDevice): Checks {
  let answers: Promise<GPUError | null>[] = [];
  let lost: EngramError | null = null;
  void device.lost.then(({ message }) => {
    lost = new EngramError('DEVICE_LOST', `The graphics device is gone: ${message || 'its driver gave no reason'}`);
  });
  const alive = () => {
    if (lost) throw lost;
  };
  const coded = async (cause: unknown) => {
    // The loss is told in a turn of its own.
    await setImmediate();
    if (lost) return lost;
    return new EngramError('INTERNAL', `The graphics device refused a command: ${messageOf(cause)}`, { cause });
  };

  return {
    alive,
    begin: () => {
      for (const filter of ['internal', 'out-of-memory', 'validation'] as const) device.pushErrorScope(filter);
    },
    end: () => {
      // Newest first, and a rejection is for `settle` to find.
      for (let scope = 0; scope < 3; scope++) {
        const answer = device.popErrorScope();
        answer.catch(() => {});
        answers.push(answer);
      }
    },
    settle: async () => {
      const waiting = answers;
      answers = [];
      const results = await Promise.allSettled(waiting);
      alive();
      for (const result of results) {
        if (result.status === 'rejected') throw await coded(result.reason);
        if (result.value) throw await meaning(result.value, coded);
      }
    },
    coded,
  };
}

async function meaning(error: GPUError, coded: Checks['coded']): Promise<EngramError> {
  if (error.constructor.name !== 'GPUOutOfMemoryError') return coded(error);
  return new EngramError('DEVICE_OUT_OF_MEMORY', `The graphics device has no memory left: ${error.message}`, {
    cause: error,
  });
}

const messageOf = (cause: unknown): string =>
  typeof cause === 'object' && cause !== null && 'message' in cause ? String(cause.message) : String(cause);
