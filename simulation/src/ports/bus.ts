/**
 * The bus port in memory. A topic's events of one key are a log; a group reads each log in order, one event at a time, by
 * whichever of its processes holds it. A position moves only once a handler is done, so a crash delivers again. A failed
 * event is set aside and comes back later, or goes to the dead letters: judged by the real bus's own rule.
 */
import {
  checkPublished,
  checkReceived,
  DEFAULT_RETRY_DELAYS_MS,
  type DeadLetter,
  retryDelay,
  type SubscribeOptions,
} from '@engram/bus';
import type { EngramEvent } from '@engram/contracts';
import { asEngramError, type EngramError } from '@engram/errors';
import type { Faults } from '../faults.ts';
import type { Invoke, Life } from '../life.ts';
import type { World } from '../world.ts';

interface Retry {
  readonly event: EngramEvent;
  readonly attempt: number;
  readonly firstFailure: number;
  readonly due: number;
}

/** One group's way through the events of one key in one topic. */
interface Stream {
  readonly group: string;
  readonly type: string;
  readonly key: string;
  readonly log: readonly EngramEvent[];
  offset: number;
  /** Furthest offset handled: what is read again before it is a redelivery. */
  seen: number;
  epoch: number;
  owner: Member | undefined;
  isBusy: boolean;
  readonly retries: Set<Retry>;
}

interface Member {
  readonly life: Life;
  readonly options: SubscribeOptions;
  /** Keys with an event under way: within a process never two of one key. */
  readonly keys: Set<string>;
}

/** How long a process that stands still or died keeps what it reads from the others. */
const LEASE_MS = 6_000;

export class BusState {
  readonly logs = new Map<string, EngramEvent[]>();
  /** What each group reads. */
  readonly groups = new Map<string, readonly string[]>();
  readonly dead: DeadLetter[] = [];
  /** Dead letters that were handed back: their causes must have been sound all the same. */
  readonly redriven: DeadLetter[] = [];
  /** Ids of the events that each group has brought to an end. */
  readonly handled = new Map<string, Set<string>>();
  readonly #world: World;
  readonly #faults: () => Faults;
  readonly #members = new Map<string, Set<Member>>();
  readonly #streams = new Map<string, Stream>();

  constructor(world: World, faults: () => Faults) {
    this.#world = world;
    this.#faults = faults;
  }

  publish(events: readonly EngramEvent[]): void {
    for (const event of events) checkPublished(event);
    for (const event of events) {
      const name = `${event.type} ${event.partitionkey}`;
      const log = this.logs.get(name) ?? [];
      this.logs.set(name, log);
      // What the log holds is text, as it is on every real bus.
      log.push(JSON.parse(JSON.stringify(event)) as EngramEvent);
      for (const [group, types] of this.groups) {
        if (types.includes(event.type)) this.#wake(this.#stream(group, event.type, event.partitionkey, log));
      }
    }
  }

  join(life: Life, options: SubscribeOptions): void {
    this.groups.set(options.group, options.types);
    if (!this.handled.has(options.group)) this.handled.set(options.group, new Set());
    const members = this.#members.get(options.group) ?? new Set<Member>();
    this.#members.set(options.group, members.add({ life, options, keys: new Set() }));
    for (const stream of this.#streams.values()) if (stream.group === options.group) this.#wake(stream);
  }

  /** A process is dead, or has stood still for longer than its lease: others take its streams over. */
  release(life: Life): void {
    for (const members of this.#members.values()) {
      for (const member of members) if (member.life === life && !life.isAlive) members.delete(member);
    }
    for (const stream of this.#streams.values()) {
      if (stream.owner?.life !== life) continue;
      const others = [...(this.#members.get(stream.group) ?? [])].filter((member) => member.life !== life);
      if (life.isAlive && others.length === 0) continue;
      this.#world.later(LEASE_MS, () => {
        if (stream.owner?.life !== life || (life.isAlive && life.pausedUntil <= this.#world.now)) return;
        stream.owner = undefined;
        stream.epoch++;
        stream.isBusy = false;
        this.#wake(stream);
      });
    }
  }

  /** Whether every group has brought every event to an end, dead letters apart. */
  isIdle(): boolean {
    for (const stream of this.#streams.values()) {
      if (stream.isBusy || stream.offset < stream.log.length || stream.retries.size > 0) return false;
    }
    return true;
  }

  redrive(): number {
    const letters = this.dead.splice(0);
    this.redriven.push(...letters);
    for (const { group, type, event } of letters) {
      const stream = this.#streams.get(`${group} ${type} ${event.partitionkey}`);
      if (stream) this.#setAside(stream, { event, attempt: 1, firstFailure: this.#world.now, due: this.#world.now });
    }
    return letters.length;
  }

  /** What has no end yet, for the report of a schedule that does not come to rest. */
  backlog(): readonly string[] {
    return [...this.#streams.values()].flatMap(({ group, type, key, offset, log, retries }) =>
      offset < log.length || retries.size > 0
        ? [`${group} has ${log.length - offset} unread and ${retries.size} set aside of ${type} ${key}`]
        : [],
    );
  }

  #stream(group: string, type: string, key: string, log: readonly EngramEvent[]): Stream {
    const name = `${group} ${type} ${key}`;
    const known = this.#streams.get(name);
    if (known) return known;
    const stream: Stream = {
      group,
      type,
      key,
      log,
      offset: 0,
      seen: 0,
      epoch: 0,
      owner: undefined,
      isBusy: false,
      retries: new Set(),
    };
    this.#streams.set(name, stream);
    return stream;
  }

  #wake(stream: Stream): void {
    this.#world.later(this.#world.chance.between(0, 20), () => this.#next(stream));
  }

  #setAside(stream: Stream, retry: Retry): void {
    stream.retries.add(retry);
    this.#world.later(Math.max(0, retry.due - this.#world.now), () => this.#next(stream));
  }

  #next(stream: Stream): void {
    if (stream.isBusy) return;
    const due = [...stream.retries].find((retry) => retry.due <= this.#world.now);
    const event = due?.event ?? stream.log[stream.offset];
    if (!event) return;
    const owner = stream.owner ?? this.#anyMember(stream.group);
    // Nobody is there: the next to join wakes it.
    if (!owner) return;
    stream.owner = owner;
    if (owner.keys.has(stream.key)) return;
    owner.keys.add(stream.key);
    stream.isBusy = true;
    void this.#deliver(stream, owner, event, due);
  }

  #anyMember(group: string): Member | undefined {
    const alive = [...(this.#members.get(group) ?? [])].filter((member) => member.life.isAlive);
    return alive.length === 0 ? undefined : this.#world.chance.pick(alive);
  }

  async #deliver(stream: Stream, owner: Member, event: EngramEvent, retry: Retry | undefined): Promise<void> {
    const { epoch, group, type } = stream;
    const attempt = retry?.attempt ?? 1;
    const { life, options } = owner;
    this.#world.say(
      `${life.name} receives ${type} ${event.id.slice(0, 8)} of ${event.subject} v${event.subjectversion}${attempt > 1 ? `, try ${attempt}` : ''}`,
    );
    let cause: EngramError | undefined;
    try {
      checkReceived(event);
      await options.handler({ event, topic: `engram.${type}`, group, attempt });
    } catch (error) {
      cause = asEngramError(error);
    }
    const offset = stream.offset;
    this.#world.later(this.#world.chance.between(1, 12), () =>
      life.whenAwake(() => {
        owner.keys.delete(stream.key);
        for (const other of this.#streams.values())
          if (other.owner === owner && other.key === stream.key) this.#wake(other);
        // Taken over meanwhile: its outcome counts for nothing, the event is delivered again.
        if (stream.epoch !== epoch) return;
        stream.isBusy = false;
        if (cause) this.#fail(stream, event, attempt, retry, cause, options.retryDelaysMs ?? DEFAULT_RETRY_DELAYS_MS);
        else this.handled.get(group)?.add(event.id);
        if (retry) stream.retries.delete(retry);
        else this.#advance(stream, offset);
        this.#wake(stream);
      }),
    );
  }

  /** Positions are committed late: a rebalance reads the last few again, in their order. */
  #advance(stream: Stream, offset: number): void {
    stream.offset = offset + 1;
    stream.seen = Math.max(stream.seen, stream.offset);
    const { chance } = this.#world;
    if (!chance.happens(this.#faults().redelivered)) return;
    stream.offset = Math.max(0, stream.offset - chance.between(1, 3));
    this.#world.say(`${stream.group} reads ${stream.type} of ${stream.key} again from ${stream.offset}`);
  }

  #fail(
    stream: Stream,
    event: EngramEvent,
    attempt: number,
    retry: Retry | undefined,
    cause: EngramError,
    delays: readonly number[],
  ): void {
    const { now } = this.#world;
    const firstFailure = retry?.firstFailure ?? now;
    const delay = retryDelay(cause, attempt, delays);
    this.#world.say(
      `${stream.group} fails at ${stream.type} ${event.id.slice(0, 8)}: ${cause.code}${delay === undefined ? ', dead' : ''}`,
    );
    if (delay !== undefined) {
      this.#setAside(stream, { event, attempt: attempt + 1, firstFailure, due: now + delay });
      return;
    }
    const { code, message } = cause;
    this.dead.push({
      group: stream.group,
      type: stream.type,
      event,
      attempts: attempt,
      firstFailure: new Date(firstFailure).toISOString(),
      lastFailure: new Date(now).toISOString(),
      cause: { code, message },
    });
  }
}

/** What the outbox relay asks of a bus. */
export const openPublisher = (state: BusState, invoke: Invoke) => ({
  publish: (events: readonly EngramEvent[]): Promise<void> =>
    invoke(`bus publish ${events.map(({ type }) => type).join(',')}`, () => state.publish(events)),
});
