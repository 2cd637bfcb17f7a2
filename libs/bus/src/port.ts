/**
 * The event bus: topics of CloudEvents, order per key, consumer groups, at-least-once delivery, retry topics with
 * back-off, dead letters. Handlers must be idempotent; `idempotent.ts` helps.
 */
import type { EngramEvent } from '@engram/contracts';

export interface Delivery<D = unknown> {
  readonly event: EngramEvent<D>;
  readonly topic: string;
  readonly group: string;
  /** 1 on the first try; grows through the retry topics. */
  readonly attempt: number;
}

export type Handler = (delivery: Delivery) => Promise<void>;

export interface SubscribeOptions {
  /** Consumer group: `engram.<service>`, one position per topic and group. */
  readonly group: string;
  /** Event types, such as `run.requested.v1`. */
  readonly types: readonly string[];
  readonly handler: Handler;
  /** Waits before the 2nd, 3rd, … try. Default 5 s, 1 min, twice 5 min, 15 min. Then the dead-letter topic. */
  readonly retryDelaysMs?: readonly number[];
  /** Keys handled at once within one subscription; events of one key never are. Default 4. */
  readonly concurrency?: number;
}

export interface DeadLetter {
  readonly group: string;
  readonly type: string;
  readonly event: EngramEvent;
  readonly attempts: number;
  readonly firstFailure: string;
  readonly lastFailure: string;
  readonly cause: { readonly code: string; readonly message: string };
}

export interface Lag {
  readonly events: number;
  /** Age of the oldest unhandled event in seconds: the figure to alert on. */
  readonly seconds: number;
}

export interface Subscription {
  /** Stops fetching, waits for the handlers under way. */
  close(): Promise<void>;
}

export interface Bus {
  /** Durable once it resolves. An event id already in its topic may be stored again: delivery is at least once. */
  publish(events: readonly EngramEvent[]): Promise<void>;
  subscribe(options: SubscribeOptions): Promise<Subscription>;
  lag(group: string): Promise<Lag>;
  deadLetters(group: string): Promise<readonly DeadLetter[]>;
  /** Hands dead letters of a group back to its handler; returns how many. */
  redrive(group: string, eventIds?: readonly string[]): Promise<number>;
  /** Moves a group's position back so that it sees events from `since` again. */
  replay(group: string, since: Date): Promise<void>;
  close(): Promise<void>;
}
