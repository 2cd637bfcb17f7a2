/** Read, decide, write; again on a conflict: how a record is changed without holding a lock. */
import { EngramError, isEngramError } from '@engram/errors';
import type { Modify } from './port.ts';

const TRIES = 20;

/**
 * `decide` sees the current value (undefined when there is none) and returns the next one with its events, or undefined
 * to leave the record alone. It may be called several times, so it must be pure.
 *
 * @returns the record as written, or as it is when `decide` left it.
 * @throws RECORD_CONFLICT after 20 tries; RECORD_EXISTS when a unique tuple belongs to another record.
 * @example
 * await modify(runs, 'r-1', (run) => run && { value: { ...run, status: 'cancelled' } });
 */
export const modify: Modify = async (collection, id, decide) => {
  for (let attempt = 1; ; attempt++) {
    const current = await collection.get(id);
    const decision = decide(current?.value);
    if (!decision) return current;
    try {
      return current
        ? await collection.replace(id, current.revision, decision.value, decision.options)
        : await collection.insert(id, decision.value, decision.options);
    } catch (error) {
      // Inserted by another meanwhile: then there is a value to decide on. A unique tuple of another record is final.
      const raced = !current && isEngramError(error, 'RECORD_EXISTS') && (await collection.get(id)) !== undefined;
      if (!raced && !isEngramError(error, 'RECORD_CONFLICT')) throw error;
      if (attempt === TRIES) {
        throw new EngramError('RECORD_CONFLICT', `a record of ${collection.name} kept changing`, { cause: error });
      }
    }
  }
};
