/** The MongoDB adapter, over mongoose. No transactions, change streams or TTL: one document at a time is all it relies on. */
import { EngramError, isEngramError } from '@engram/errors';
import mongoose, { type Connection } from 'mongoose';
import type { Collection, CollectionDefinition, Records, Waiting } from '../port.ts';
import { openCollection } from './collection.ts';
import { modelOf } from './document.ts';
import { failureOf } from './failure.ts';
import { prepare } from './prepare.ts';
import { openSequence } from './sequence.ts';
import { defaultsFor } from './url.ts';

/**
 * @param url `mongodb://` or `mongodb+srv://` as the driver reads it, credentials and TLS included; database `engram` where it
 * names none.
 * @throws CONFIG_INVALID when the URL or its credentials will not do; UPSTREAM_FAILED when no server answers.
 */
export async function openMongoRecords(url: string, now: () => number = Date.now): Promise<Records> {
  const connection = await connect(url);
  const sequence = openSequence(connection);
  const opened = new Map<string, Collection<unknown>>();
  const listeners = new Set<(waiting: Waiting) => void>();
  const announce = (waiting: Waiting) => {
    for (const listener of listeners) listener(waiting);
  };

  function create<T>(definition: CollectionDefinition<T>): Collection<T> {
    const model = modelOf(connection, definition);
    const ready = once(() => prepare(model, definition));
    // Indexes are made now; a failure is told to the first who asks, and tried again.
    ready().catch(() => undefined);
    return openCollection(definition, { model, sequence, now, announce, ready });
  }

  return {
    collection<T>(definition: CollectionDefinition<T>): Collection<T> {
      const known = opened.get(definition.name);
      // One collection has one value type, by its definition: the map only forgets it.
      if (known) return known as Collection<T>;
      const collection = create(definition);
      opened.set(definition.name, collection as Collection<unknown>);
      return collection;
    },
    get collections() {
      return [...opened.values()];
    },
    onEvents(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      await connection.close();
    },
  };
}

async function connect(url: string): Promise<Connection> {
  const options = { ...defaultsFor(url), bufferCommands: false, autoIndex: false, autoCreate: false };
  const connection = mongoose.createConnection();
  try {
    return await connection.openUri(url, options);
  } catch (error) {
    await connection.close();
    const failure = failureOf(error);
    if (isEngramError(failure)) throw failure;
    throw new EngramError('UPSTREAM_FAILED', 'MongoDB cannot be reached', { cause: error });
  }
}

/** One run of `work` that succeeds; after a failure the next call tries again. */
function once(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => {
    running ??= work().catch((error: unknown) => {
      running = undefined;
      throw error;
    });
    return running;
  };
}
