/** Wall clocks of the services, each set for itself: what `skewed-clock.ts` in them reads. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SERVICES, type ServiceName } from '../e2e/settings.ts';

export interface Clocks {
  /** Of every service's process. */
  readonly environment: Readonly<Record<string, string>>;
  /** Resolves when they have jumped. */
  jump(offMs: number, services?: readonly ServiceName[]): Promise<void>;
}

/** Longer than a service takes to notice. */
const NOTICED_MS = 500;

export function openClocks(folder: string): Clocks {
  mkdirSync(folder);
  return {
    environment: {
      CLOCKS: folder,
      NODE_OPTIONS: `--import ${new URL('skewed-clock.ts', import.meta.url).href}`,
    },
    async jump(offMs, services = SERVICES) {
      for (const service of services) writeFileSync(join(folder, `${service}-1`), String(offMs));
      await sleep(NOTICED_MS);
    },
  };
}
