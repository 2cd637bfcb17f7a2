import { EngramError } from '@engram/errors';
import type { ServerDefinition } from '../server.ts';
import { fhirValidator } from './fhir-validator.ts';
import { hapi } from './hapi.ts';
import { kafka } from './kafka.ts';
import { minio } from './minio.ts';
import { mongodb } from './mongodb.ts';
import { orthanc } from './orthanc.ts';
import { prometheus } from './prometheus.ts';
import { zipkin } from './zipkin.ts';

export const SERVERS: readonly ServerDefinition[] = [
  kafka,
  minio,
  mongodb,
  hapi,
  fhirValidator,
  orthanc,
  zipkin,
  prometheus,
];

/** @returns the named servers; all when none is named. @throws REQUEST_INVALID */
export function serversNamed(names: readonly string[]): readonly ServerDefinition[] {
  const known = new Map(SERVERS.map((server) => [server.name, server]));
  const strangers = names.filter((name) => !known.has(name));
  if (strangers.length > 0) {
    const message = `there is no server ${strangers.join(', ')}; there are ${[...known.keys()].join(', ')}`;
    throw new EngramError('REQUEST_INVALID', message, { field: 'servers' });
  }
  return names.length === 0 ? SERVERS : SERVERS.filter(({ name }) => names.includes(name));
}
