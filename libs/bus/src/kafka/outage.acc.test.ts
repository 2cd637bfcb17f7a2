/**
 * The broker's process is killed and started again while events flow. KAFKA_PID_FILE names the file that holds the process
 * id of the broker at KAFKA_URL, and its birth, as `run/kafka.pid` or `kafka/state.json` of a started server do; both
 * are written anew, so that whoever started it can stop it. Without the file, or without /proc, these tests are skipped.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EngramEvent } from '@engram/contracts';
import { describe, expect, test, vi } from 'vitest';
import { sample } from '../conformance.ts';
import type { Bus, Delivery } from '../port.ts';
import { CLIENTS, KAFKA_URL, playground } from './under-test.fixture.ts';
import { parseKafkaUrl } from './url.ts';

const PID_FILE = process.env['KAFKA_PID_FILE'] ?? '';
const KEYS = [...'bcdef'];
const types = ['run.requested.v1'];
const patience = { timeout: 120_000, interval: 50 };

interface Broker {
  readonly pid: number;
  readonly birth: string;
  readonly command: readonly string[];
  readonly folder: string;
}

/** Of /proc/PID/stat, counted from behind the name, which may hold anything: the state, and the tick of its start. */
function statOf(pid: number): { readonly state: string; readonly birth: string } {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', birth: fields[19] ?? '' };
}

function runningBroker(): Broker {
  const pid = Number(/\d+/.exec(readFileSync(PID_FILE, 'utf8'))?.[0]);
  const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
  if (!command.includes('kafka.Kafka')) throw new Error(`process ${pid} is not a Kafka broker`);
  return { pid, birth: statOf(pid).birth, command, folder: readlinkSync(`/proc/${pid}/cwd`) };
}

async function kill({ pid }: Broker): Promise<void> {
  process.kill(pid, 'SIGKILL');
  const ended = () => !existsSync(`/proc/${pid}`) || statOf(pid).state === 'Z';
  await vi.waitFor(() => expect(ended()).toBe(true), { timeout: 10_000 });
}

async function startAgain({ pid: before, birth, command: [program = '', ...args], folder }: Broker): Promise<void> {
  const child = spawn(program, args, { cwd: folder, detached: true, stdio: 'ignore' });
  child.unref();
  const pid = child.pid ?? 0;
  const text = readFileSync(PID_FILE, 'utf8');
  writeFileSync(PID_FILE, text.replace(String(before), String(pid)).replace(birth, statOf(pid).birth));
  await vi.waitFor(listening, { timeout: 60_000, interval: 200 });
}

async function listening(): Promise<void> {
  const [host = '', port] = (parseKafkaUrl(KAFKA_URL ?? '').brokers[0] ?? '').split(':');
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = createConnection({ host, port: Number(port) }, resolve).on('error', reject);
  await promise.finally(() => socket.destroy());
}

/** As the outbox does it: what was not accepted is published again, and nothing overtakes it. */
async function publishUntilAccepted(bus: Bus, events: readonly EngramEvent[]): Promise<void> {
  for (let accepted = false; !accepted; ) {
    accepted = await bus.publish(events).then(
      () => true,
      () => sleep(100, false),
    );
  }
}

describe.skipIf(!KAFKA_URL || !existsSync(PID_FILE)).each(CLIENTS)(
  'the broker of KAFKA_URL and KAFKA_PID_FILE is killed, %s',
  (client) => {
    test('under load: nothing that was accepted is lost, and every key keeps its order', async () => {
      const { open, close } = playground(client);
      const bus = await open();
      const seen: { key: string; version: number }[] = [];
      await bus.subscribe({
        group: 'engram.outage',
        types,
        retryDelaysMs: [100, 100, 100],
        async handler({ event, attempt }: Delivery) {
          // Some events are on their way through the retry topic when the broker goes.
          if (event.subjectversion % 10 === 0 && attempt === 1) throw new Error('not yet');
          seen.push({ key: event.partitionkey[0] ?? '', version: event.subjectversion });
        },
      });
      let accepted = 0;
      let flowing = true;
      const flow = (async () => {
        while (flowing) {
          await publishUntilAccepted(
            bus,
            KEYS.map((key) => sample(key, accepted + 1)),
          );
          accepted++;
          await sleep(10);
        }
      })();
      await vi.waitFor(() => expect(accepted).toBeGreaterThan(50), patience);
      const broker = runningBroker();
      await kill(broker);
      await sleep(1_500);
      const before = accepted;
      await startAgain(broker);
      await vi.waitFor(() => expect(accepted).toBeGreaterThan(before + 100), patience);
      flowing = false;
      await flow;
      await vi.waitFor(async () => expect((await bus.lag('engram.outage')).events).toBe(0), patience);

      const all = Array.from({ length: accepted }, (_, i) => i + 1);
      for (const key of KEYS) {
        const versions = seen.filter((it) => it.key === key).map(({ version }) => version);
        expect([...new Set(versions)].sort((a, b) => a - b)).toEqual(all);
        const first = [...new Set(versions.filter((version) => version % 10 !== 0))];
        expect(first).toEqual(all.filter((version) => version % 10 !== 0));
      }
      expect(await bus.deadLetters('engram.outage')).toEqual([]);
      await close();
    });

    test('at the start: what is published and subscribed meanwhile is done when it is back', async () => {
      const { open, close } = playground(client);
      const broker = runningBroker();
      await kill(broker);
      const bus = await open();
      await expect(bus.lag('engram.start')).rejects.toMatchObject({ code: 'UPSTREAM_FAILED' });
      const publishing = publishUntilAccepted(bus, [sample('b', 1)]);
      const seen: number[] = [];
      const handler = async ({ event }: Delivery) => void seen.push(event.subjectversion);
      const subscribing = bus.subscribe({ group: 'engram.start', types, handler });
      await sleep(1_000);
      await startAgain(broker);
      await publishing;
      await subscribing;
      // Sent again after an answer that never came, it may lie there twice.
      await vi.waitFor(() => expect([...new Set(seen)]).toEqual([1]), patience);
      await close();
    });

    test('while it is away: what it did not take is refused, and closing does not wait for it', async () => {
      const { open, close } = playground(client);
      const bus = await open();
      await bus.subscribe({ group: 'engram.away', types, handler: async () => undefined });
      const broker = runningBroker();
      await kill(broker);
      const refused = expect(bus.publish([sample('b', 1)])).rejects.toMatchObject({ code: 'UPSTREAM_FAILED' });
      await sleep(1_000);
      const start = performance.now();
      await bus.close();
      expect(performance.now() - start).toBeLessThan(15_000);
      await refused;
      await startAgain(broker);
      await close();
    });
  },
);
