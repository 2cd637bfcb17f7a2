/** A platform's settings on free ports and a folder of its own, and scans small enough that a run takes seconds. */
import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensureAtlas, loadAtlas } from '@engram/pipelines';
import { type DemoSession, writePhantomSession } from '../demo/scans.ts';

const NAMES = ['FHIR', 'INGESTION', 'PREPROCESSING', 'FEATURE_STORE', 'PREDICTION', 'RESULTS'] as const;

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve) => {
          server.listen(0, '127.0.0.1', () => {
            const address = server.address();
            resolve(typeof address === 'object' && address ? address.port : 0);
          });
        }),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

export interface TestSettings {
  readonly env: Record<string, string>;
  readonly scans: string;
  readonly url: (name: (typeof NAMES)[number]) => string;
}

export async function testSettings(folder: string): Promise<TestSettings> {
  const ports = await freePorts(NAMES.length);
  const scans = join(folder, 'scans');
  await mkdir(scans, { recursive: true });
  return {
    scans,
    env: {
      ENGRAM_HOME: join(folder, 'home'),
      ENGRAM_QUIET_S: '0',
      ENGRAM_POLL_S: '2',
      ENGRAM_LOG_LEVEL: 'warn',
      ENGRAM_ALLOW: pathToFileURL(scans).href,
      ...Object.fromEntries(NAMES.map((name, at) => [`ENGRAM_${name}_PORT`, String(ports[at])])),
    },
    url: (name) => `http://127.0.0.1:${ports[NAMES.indexOf(name)]}`,
  };
}

/** One synthetic session with its scores, on disk below `scans`. */
export async function testSession(scans: string, sessionDate: string): Promise<DemoSession> {
  const atlas = await loadAtlas(await ensureAtlas());
  const scores = { mmse: 25, cdrGlobal: 0.5, cdrSob: 3, adasCog13: 23 };
  return writePhantomSession(atlas, { sessionDate, severity: 0.5, scores }, scans);
}

export const daysAgo = (days: number): string => new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10);
