/** The AWS client: time limits, retries, and no checksum that S3-compatible stores do not know. */
import { Readable } from 'node:stream';
import { S3Client } from '@aws-sdk/client-s3';
import { mayBeSkewed } from './failure.ts';
import type { Location } from './location.ts';

export interface Patience {
  /** Until a connection stands. Default 5 s. */
  readonly connectMs?: number;
  /** Without a byte in either direction. Default 30 s. */
  readonly idleMs?: number;
  /** Sends of one request, the first included; between them 100 ms × 2ⁿ (500 ms when throttled), at random. Default 5. */
  readonly attempts?: number;
}

export function createClient(location: Location, { connectMs = 5_000, idleMs = 30_000, attempts = 5 }: Patience) {
  const client = new S3Client({
    ...(location.endpoint === undefined ? {} : { endpoint: location.endpoint }),
    ...(location.region === undefined ? {} : { region: location.region }),
    forcePathStyle: location.pathStyle,
    retryMode: 'standard',
    maxAttempts: attempts,
    requestHandler: { connectionTimeout: connectMs, socketTimeout: idleMs },
    // The SDK's own CRC32 is unknown to older stores and would be signed into presigned URLs; every body we send
    // carries its SHA-256, every body we read is checked against it.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
  // What the SDK learns of the store's clock it uses from the next request on: when this machine's is set back, all that are under way
  // are refused, and it gives them up.
  client.middlewareStack.add(
    (next) => async (args) => {
      try {
        return await next(args);
      } catch (error) {
        if (!mayBeSkewed(error) || isStream(args.input)) throw error;
        return next(args);
      }
    },
    { step: 'initialize', name: 'engramClockSetBack' },
  );
  return client;
}

/** It cannot be sent a second time. */
const isStream = (input: object): boolean => 'Body' in input && input.Body instanceof Readable;
