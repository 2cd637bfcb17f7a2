/** Events as a record holds them until they are published. */
import type { EngramEvent } from '@engram/contracts';
import { traceparent } from '@engram/telemetry';

export interface PendingEvent {
  /** Rises with every write of the store, so that events leave in the order of their writes. */
  readonly seq: number;
  readonly event: EngramEvent;
}

/** Numbered from `first`. The relay publishes outside the trace that wrote: an event keeps its place in it. */
export function pendingEvents(events: readonly EngramEvent[], first: number): readonly PendingEvent[] {
  const trace = traceparent();
  return events.map((event, i) => ({
    seq: first + i,
    event: trace && !event.traceparent ? { ...event, traceparent: trace } : event,
  }));
}
