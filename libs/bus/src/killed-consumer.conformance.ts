/** What every bus must do when a consumer's process is killed. Each start of it is a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { sample } from './conformance.ts';
import type { Bus } from './port.ts';

export interface SharedBus {
  readonly bus: Bus;
  /** What another process opens the same log with. */
  readonly url: string;
  close(): Promise<void>;
}

const KEYS = [...'bcdefgh'];
const VERSIONS = 40;
const KILLS = 4;

interface Entry {
  readonly key: string;
  readonly version: number;
  readonly attempt: number;
}

const entries = (ledger: string): Entry[] =>
  existsSync(ledger)
    ? readFileSync(ledger, 'utf8')
        .trim()
        .split('\n')
        .map((line) => line.split(' '))
        .map(([key = '', version, attempt]) => ({ key, version: Number(version), attempt: Number(attempt) }))
    : [];

async function startConsumer(url: string, ledger: string): Promise<ChildProcess> {
  const fixture = join(import.meta.dirname, 'ledger-consumer.fixture.ts');
  const child = spawn(process.execPath, [fixture, url, ledger, 'engram.k'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const died = once(child, 'exit').then(() => Promise.reject(new Error('the process ended before it was ready')));
  await Promise.race([child.stdout && once(child.stdout, 'data'), died]);
  died.catch(() => undefined);
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}

/** `patienceMs`: how long a killed consumer's share may take to be handed to the next. */
export function killedConsumerConformance(name: string, patienceMs: number, open: () => Promise<SharedBus>): void {
  // A consumer is killed four times in the middle of its work, while events keep coming.
  test(`${name}: a consumer killed mid-work loses no event and keeps the order of every key`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'engram-kill-'));
    const ledger = join(folder, 'ledger.txt');
    const { bus, url, close } = await open();
    const patience = { timeout: patienceMs, interval: 50 };
    for (let killed = 0; killed < KILLS; killed++) {
      const child = await startConsumer(url, ledger);
      const before = entries(ledger).length;
      const from = (killed * VERSIONS) / KILLS;
      for (let version = from + 1; version <= from + VERSIONS / KILLS; version++) {
        await bus.publish(KEYS.map((key) => sample(key, version)));
      }
      await vi.waitFor(() => expect(entries(ledger).length).toBeGreaterThan(before + 15), patience);
      await kill(child);
    }
    const last = await startConsumer(url, ledger);
    await vi.waitFor(async () => expect((await bus.lag('engram.k')).events).toBe(0), { ...patience, timeout: 60_000 });
    await kill(last);

    const all = entries(ledger);
    const delivered = new Set(all.map(({ key, version }) => `${key}${version}`));
    for (const key of KEYS) {
      for (let version = 1; version <= VERSIONS; version++) expect(delivered).toContain(`${key}${version}`);
      const first = all.filter((entry) => entry.key === key && entry.attempt === 1).map((entry) => entry.version);
      const order = [...new Set(first)];
      expect(order).toEqual([...order].sort((a, b) => a - b));
      // What a retry brought comes apart from the order, and only what failed does.
      const retried = all.filter((entry) => entry.key === key && entry.attempt > 1);
      expect(retried.every((entry) => entry.version % 9 === 0)).toBe(true);
    }
    expect(await bus.deadLetters('engram.k')).toEqual([]);
    await close();
    rmSync(folder, { recursive: true, force: true });
  });
}
