/** How much the object store holds: walked through from time to time, since whoever asks often must not pay for it each time. */
import type { Objects } from '@engram/objects';
import { atLeisure } from '@engram/service';
import { gauge, type Logger } from '@engram/telemetry';

export interface StoredSize {
  readonly objects: number;
  readonly bytes: number;
}

export interface Storage {
  /** As it was at the last walk, a minute ago or, in a large store, longer. */
  size(): Promise<StoredSize>;
  /** Walks now and again until the signal. */
  watch(signal: AbortSignal): void;
}

const EVERY_MS = 60_000;

export function openStorage(objects: Objects, logger: Logger): Storage {
  let known: StoredSize | undefined;
  const walk = async (): Promise<StoredSize> => {
    known = await objects.usage('');
    gauge('engram.objects.stored', known.bytes);
    return known;
  };
  return {
    size: async () => known ?? walk(),
    watch(signal) {
      const report = async (): Promise<void> => {
        await walk().catch((err: unknown) => logger.warn('the storage figure could not be read', { err }));
      };
      void atLeisure(report, EVERY_MS, signal);
    },
  };
}
