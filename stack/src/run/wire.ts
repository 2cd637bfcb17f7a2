/** One question and its answer over TCP, for servers whose protocol is not HTTP. */
import { connect } from 'node:net';
import { HOST } from '../server.ts';

export interface Framing {
  /** Bytes of the whole frame, read from its first four. */
  lengthOf(head: Buffer): number;
}

/** Kafka: a big-endian length that does not count itself. MongoDB: a little-endian one that does. */
export const KAFKA_FRAMES: Framing = { lengthOf: (head) => head.readInt32BE(0) + 4 };
export const MONGODB_FRAMES: Framing = { lengthOf: (head) => head.readInt32LE(0) };

const TIMEOUT_MS = 3000;

/** @returns the whole first frame of the answer. */
export function ask(port: number, question: Buffer, framing: Framing): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: HOST, timeout: TIMEOUT_MS }, () => socket.write(question));
    const fail = (why: Error) => {
      socket.destroy();
      reject(why);
    };
    let received = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 4 || received.length < framing.lengthOf(received)) return;
      socket.destroy();
      resolve(received);
    });
    socket.on('timeout', () => fail(new Error('no answer')));
    socket.on('end', () => fail(new Error('closed without an answer')));
    socket.on('error', fail);
  });
}
