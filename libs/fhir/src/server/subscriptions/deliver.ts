/** Tells the subscribers: activation by handshake, events in order with back-off, heartbeats, an error status at the end. */
import type { Fetch } from '@engram/http';
import type { Logger } from '@engram/telemetry';
import { traceparent, withoutTrace, withSpan, withTraceparent } from '@engram/telemetry';
import type { Subscription } from '@medplum/fhirtypes';
import type { FhirStore, Stored } from '../store.ts';
import { dialectOf } from './channel.ts';
import { type Notification, notificationOf, statusNotification } from './notification.ts';
import type { DeliveryQueue } from './queue.ts';

/** Waits before the 2nd to 7th try: about eight minutes in all, then the subscription is in error. */
const DELAYS_MS = [500, 2000, 10_000, 30_000, 120_000, 300_000] as const;
const IDLE_MS = 1000;

export interface DelivererOptions {
  readonly store: FhirStore;
  readonly queue: DeliveryQueue;
  readonly fetch: Fetch;
  readonly base: () => string;
  readonly logger: Logger;
  readonly now: () => Date;
  readonly delaysMs?: readonly number[];
}

export interface Deliverer {
  readonly start: () => void;
  readonly wake: () => void;
  readonly stop: () => Promise<void>;
}

const isSubscription = (resource: Stored | undefined): resource is Stored & Subscription =>
  resource?.resourceType === 'Subscription';

export function createDeliverer({
  store,
  queue,
  fetch,
  base,
  logger,
  now,
  delaysMs = DELAYS_MS,
}: DelivererOptions): Deliverer {
  const lastSent = new Map<string, number>();
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let again = false;
  let stopped = true;

  async function send({ method, url, headers, body }: Notification): Promise<void> {
    await withSpan(
      'notify subscriber',
      {},
      async () => {
        const parent = traceparent();
        const response = await fetch(url, {
          method,
          headers: { ...headers, ...(parent ? { traceparent: parent } : {}) },
          ...(method === 'DELETE' ? {} : { body }),
        });
        await response.body?.cancel();
        if (!response.ok) throw new Error(`the subscriber answered ${response.status}`);
      },
      { kind: 'producer' },
    );
  }

  const setStatus = (subscription: Stored & Subscription, status: Subscription['status'], error?: string) => {
    const { error: _, ...rest } = subscription;
    store.write({ ...rest, status, ...(error === undefined ? {} : { error }) });
  };

  async function activate(subscription: Stored & Subscription): Promise<void> {
    const at = now().toISOString();
    const handshake = statusNotification(subscription, 'handshake', 0, base(), at);
    try {
      if (handshake) await send(handshake);
    } catch {
      return setStatus(subscription, 'error', 'the handshake was not answered with success');
    }
    const current = store.read('Subscription', subscription.id);
    if (isSubscription(current) && current.status === 'requested') setStatus(current, 'active');
  }

  async function heartbeat(subscription: Stored & Subscription): Promise<void> {
    const dialect = dialectOf(subscription);
    if (dialect.kind !== 'backport' || !dialect.heartbeatSeconds) return;
    const at = now();
    const last = lastSent.get(subscription.id) ?? 0;
    if (at.getTime() - last < dialect.heartbeatSeconds * 1000) return;
    lastSent.set(subscription.id, at.getTime());
    const beat = statusNotification(subscription, 'heartbeat', queue.count(subscription.id), base(), at.toISOString());
    if (beat) await send(beat).catch(() => {});
  }

  async function deliverDue(): Promise<boolean> {
    const due = queue.due(now().getTime());
    await Promise.all(
      due.map(async ({ seq, subscription: id, event, attempts }) => {
        const subscription = store.read('Subscription', id);
        if (!isSubscription(subscription) || subscription.status === 'off') return queue.drop(id);
        const notification = notificationOf(subscription, event, base());
        try {
          if (notification) await withTraceparent(event.change.traceparent, () => send(notification));
          queue.done(seq);
          lastSent.set(id, now().getTime());
        } catch (error) {
          const delay = delaysMs[attempts];
          if (delay !== undefined) return queue.later(seq, now().getTime() + delay);
          logger.warn('a subscription is in error', { err: error, attempts: attempts + 1 });
          queue.drop(id);
          setStatus(subscription, 'error', 'the endpoint did not take a notification');
        }
      }),
    );
    return due.length > 0;
  }

  async function round(): Promise<void> {
    for (const subscription of [...store.all('Subscription')]) {
      if (!isSubscription(subscription)) continue;
      if (subscription.status === 'requested') await activate(subscription);
      else if (subscription.status === 'active') await heartbeat(subscription);
    }
    while (!stopped && (await deliverDue()));
  }

  function wake(): void {
    if (stopped) return;
    if (running !== undefined) {
      again = true;
      return;
    }
    clearTimeout(timer);
    // After the change's transaction has ended: a listener inside it wakes us.
    running = withoutTrace(() => new Promise<void>((resolve) => setImmediate(resolve)).then(() => round()))
      .catch((error: unknown) => logger.error('telling subscribers failed', { err: error }))
      .finally(() => {
        running = undefined;
        if (stopped) return;
        if (again) {
          again = false;
          return wake();
        }
        const due = queue.nextDueAt();
        timer = setTimeout(wake, due === undefined ? IDLE_MS : Math.max(10, Math.min(IDLE_MS, due - now().getTime())));
        timer.unref();
      });
  }

  return {
    wake,
    start() {
      stopped = false;
      wake();
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
