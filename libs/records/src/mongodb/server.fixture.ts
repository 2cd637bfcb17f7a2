/** The MongoDB server of the tests, where one is given (stack/README.md says how), and databases of their own in it. */
import { exec } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import mongoose from 'mongoose';

/** `mongodb://127.0.0.1:PORT/database`; a real mongod, or a server that speaks its wire protocol. */
export const MONGODB_URL = process.env['MONGODB_URL'];

/** A shell command that stops that server and starts it again. */
export const MONGODB_RESTART = process.env['MONGODB_RESTART'];

/** The same server, a database that no other test has. */
export function freshMongoUrl(): string {
  const url = new URL(MONGODB_URL ?? '');
  url.pathname = `/engram-test-${randomBytes(8).toString('hex')}`;
  return url.href;
}

export async function dropDatabase(url: string): Promise<void> {
  const connection = await mongoose.createConnection(url).asPromise();
  await connection.dropDatabase();
  await connection.close();
}

export const restartMongo = async (): Promise<void> => void (await promisify(exec)(MONGODB_RESTART ?? ''));
