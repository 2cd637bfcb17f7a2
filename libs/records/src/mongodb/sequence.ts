/** Numbers for events, rising across every writer of the database: one document, raised in one step. */
import { type Connection, Schema } from 'mongoose';
import { isDuplicate } from './failure.ts';

interface SequenceDocument {
  readonly _id: string;
  readonly last: number;
}

const NAME = 'engram.outbox-sequence';
const ID = 'outbox';

export interface Sequence {
  /** The first of `count` numbers. What a crash leaves unused is missed by nobody. */
  take(count: number): Promise<number>;
}

export function openSequence(connection: Connection): Sequence {
  const schema = new Schema<SequenceDocument>(
    { _id: String, last: Number },
    { collection: NAME, versionKey: false, id: false, autoIndex: false, autoCreate: false },
  );
  const model = connection.model(NAME, schema);

  async function raise(count: number): Promise<number> {
    const options = { upsert: true, returnDocument: 'after', lean: true } as const;
    const document = await model.findOneAndUpdate({ _id: ID }, { $inc: { last: count } }, options);
    return (document?.last ?? count) - count + 1;
  }

  return {
    async take(count) {
      try {
        return await raise(count);
      } catch (error) {
        // Two writers made the document at once: now it is there.
        if (!isDuplicate(error)) throw error;
        return raise(count);
      }
    },
  };
}
