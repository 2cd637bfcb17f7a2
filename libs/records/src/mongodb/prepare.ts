/** Makes a collection ready: its indexes, and the unique tuples of records written before a tuple was defined. */
import { EngramError } from '@engram/errors';
import type { Model } from 'mongoose';
import type { CollectionDefinition } from '../port.ts';
import { indexesOf, type RecordDocument, tupleName, tuplesOf } from './document.ts';
import { isDuplicate } from './failure.ts';
import { fromDocument } from './field-names.ts';

/** @throws CONFIG_INVALID when records there break a unique tuple that is new. */
export async function prepare(model: Model<RecordDocument>, definition: CollectionDefinition<unknown>): Promise<void> {
  await model.collection.createIndexes(
    [...indexesOf(definition)].map((index) => ({ ...index, key: { ...index.key } })),
  );
  for (const paths of definition.unique ?? []) await fillTuple(model, definition, paths);
}

async function fillTuple(
  model: Model<RecordDocument>,
  definition: CollectionDefinition<unknown>,
  paths: readonly string[],
): Promise<void> {
  const name = tupleName(paths);
  const present = Object.fromEntries(paths.map((path) => [`value.${path}`, { $ne: null }]));
  const missing = { removed: false, [`unique.${name}`]: { $exists: false }, ...present };
  for await (const document of model.find(missing).lean<RecordDocument>().cursor()) {
    const unique = tuplesOf(definition, fromDocument(document.value));
    try {
      // Changed meanwhile: then its writer has set the tuple.
      await model.updateOne({ _id: document._id, revision: document.revision }, { $set: { unique } });
    } catch (error) {
      if (!isDuplicate(error)) throw error;
      const why = `records of ${definition.name} are not unique by ${paths.join(', ')}`;
      throw new EngramError('CONFIG_INVALID', why, { field: name });
    }
  }
}
