/**
 * mongo-java-server on H2: speaks MongoDB's wire protocol with atomic single documents, unique indexes and optimistic
 * updates, and has no transactions, sessions or change streams. What passes here needs no more than that of a real one.
 * Of itself it reads a whole collection for all but the barest query; our classes give it the indexes it is asked for.
 */
import { join } from 'node:path';
import { compileJava, java } from '../install/java.ts';
import { fetchJars } from '../install/maven.ts';
import { ask, MONGODB_FRAMES } from '../run/wire.ts';
import { HOST, type ServerDefinition } from '../server.ts';

const VERSION = '1.47.0';
const MAIN = 'MongoServerMain';
const SOURCES = [MAIN, 'IndexedBackend', 'IndexedCollection', 'SecondaryIndex'];
const OP_MSG = 2013;

export const mongodb: ServerDefinition = {
  name: 'mongodb',
  version: VERSION,
  ports: ['wire'],
  startupMs: 120_000,

  install: (folders, progress) =>
    fetchJars(
      [
        `de.bwaldvogel:mongo-java-server:${VERSION}`,
        `de.bwaldvogel:mongo-java-server-h2-backend:${VERSION}`,
        'org.slf4j:slf4j-simple:2.0.17',
      ],
      folders,
      progress,
    ),

  async launch(place) {
    const { installed, dir, ports } = place;
    const options = ['-Dorg.slf4j.simpleLogger.defaultLogLevel=warn'];
    const args = [HOST, String(ports['wire']), join(dir, 'data.mv')];
    const folders = [await compileJava(SOURCES, installed)];
    return java(place, { main: MAIN, args, heapMb: 768, options, folders });
  },

  async ready({ ports }) {
    const answer = await ask(ports['wire'] as number, isMasterRequest(), MONGODB_FRAMES);
    if (!answer.includes('maxWireVersion')) throw new Error('ismaster was not answered');
  },

  environment: ({ ports }) => ({ MONGODB_URL: `mongodb://${HOST}:${ports['wire']}/engram-test` }),
};

/** `{ismaster: 1, $db: 'admin'}` in BSON, as one OP_MSG: the older name of hello, which this server knows. */
function isMasterRequest(): Buffer {
  const question = Buffer.from('\x10ismaster\0\x01\0\0\0', 'latin1');
  const database = Buffer.from('\x02$db\0\x06\0\0\0admin\0', 'latin1');
  const document = Buffer.concat([
    int32(4 + question.length + database.length + 1),
    question,
    database,
    Buffer.alloc(1),
  ]);
  // Flags, then one section of kind 0: a single document.
  const body = Buffer.concat([int32(0), Buffer.alloc(1), document]);
  return Buffer.concat([int32(16 + body.length), int32(1), int32(0), int32(OP_MSG), body]);
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}
