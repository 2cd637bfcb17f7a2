/**
 * What must still be told, on the disk. 1) One change can wake many subscriptions. 2) Each must be told and retried by
 * itself, in order. 3) Whether it matches is judged at the time of the change, in its transaction: so a stop between the
 * change and the telling loses nothing.
 */
import type { Database } from '@engram/records';
import { traceparent } from '@engram/telemetry';
import { badRequest, OperationOutcomeError } from '@medplum/core';
import type { Subscription } from '@medplum/fhirtypes';
import { matches, parse } from '../search.ts';
import type { Change, FhirStore, Stored } from '../store.ts';
import { criteriaOf } from './channel.ts';
import type { NumberedEvent } from './notification.ts';

export interface Queued {
  readonly seq: number;
  readonly subscription: string;
  readonly event: NumberedEvent;
  readonly attempts: number;
}

export interface DeliveryQueue {
  /** The oldest untold event of each subscription that is due. */
  due(at: number): readonly Queued[];
  done(seq: number): void;
  later(seq: number, dueAt: number): void;
  /** Drops what a subscription still waits for; its events stay readable. */
  drop(subscription: string): void;
  /** Events ever numbered for a subscription. */
  count(subscription: string): number;
  events(subscription: string, from: number, to: number): readonly NumberedEvent[];
  pending(): number;
  nextDueAt(): number | undefined;
}

/** What each subscription waits for first: the rest comes after it. */
const HEADS = '(SELECT min(seq) FROM fhir_deliveries WHERE done = 0 GROUP BY subscription)';
/** Told events that `$events` can still show. */
const KEPT_EVENTS = 1000;

const isSubscription = (resource: Stored): resource is Stored & Subscription =>
  resource.resourceType === 'Subscription';

/** @throws OperationOutcomeError 400 when the criteria cannot be judged: better than a subscription that never fires. */
export function checkSubscription(store: FhirStore, subscription: Stored & Subscription): void {
  if (subscription.channel.type !== 'rest-hook') {
    throw new OperationOutcomeError(badRequest('Only rest-hook channels are supported', 'Subscription.channel.type'));
  }
  if (!URL.canParse(subscription.channel.endpoint ?? '')) {
    throw new OperationOutcomeError(badRequest('An endpoint is needed', 'Subscription.channel.endpoint'));
  }
  const criteria = criteriaOf(subscription);
  if (criteria.length === 0) {
    throw new OperationOutcomeError(
      badRequest('A topic needs at least one backport-filter-criteria', 'Subscription.criteria'),
    );
  }
  for (const one of criteria) {
    const request = parseCriteria(one);
    // Asked of a resource that cannot exist, so that only the question is tested.
    matches(store, { resourceType: request.resourceType, id: '-' } as Stored, request);
  }
}

function parseCriteria(criteria: string) {
  const [type = '', query = ''] = criteria.split('?', 2);
  if (!/^[A-Z][A-Za-z]+$/.test(type)) {
    throw new OperationOutcomeError(badRequest('Criteria read Type?parameter=value', 'Subscription.criteria'));
  }
  const params = new URLSearchParams(query);
  return parse(type, Object.fromEntries([...params.keys()].map((name) => [name, params.getAll(name)])));
}

export function openDeliveryQueue(database: Database, store: FhirStore, wake: () => void): DeliveryQueue {
  database.exec(`
    CREATE TABLE IF NOT EXISTS fhir_deliveries (
      seq INTEGER PRIMARY KEY AUTOINCREMENT, subscription TEXT NOT NULL, number INTEGER NOT NULL, change TEXT NOT NULL,
      attempts INTEGER NOT NULL DEFAULT 0, due_at INTEGER NOT NULL DEFAULT 0, done INTEGER NOT NULL DEFAULT 0);
    CREATE INDEX IF NOT EXISTS fhir_deliveries_open ON fhir_deliveries (done, subscription, seq);
    CREATE INDEX IF NOT EXISTS fhir_deliveries_number ON fhir_deliveries (subscription, number);`);
  const count = (subscription: string): number =>
    Number(
      database.get('SELECT max(number) AS n FROM fhir_deliveries WHERE subscription = ?', subscription)?.['n'] ?? 0,
    );

  store.onChange((change: Change) => {
    if (change.resource.resourceType === 'Subscription') return;
    const parent = traceparent();
    for (const subscription of store.all('Subscription')) {
      if (!isSubscription(subscription) || subscription.status !== 'active') continue;
      const wanted = criteriaOf(subscription).every((criteria) =>
        matches(store, change.resource, parseCriteria(criteria)),
      );
      if (!wanted) continue;
      database.run(
        'INSERT INTO fhir_deliveries (subscription, number, change) VALUES (?, ?, ?)',
        subscription.id,
        count(subscription.id) + 1,
        JSON.stringify(parent === undefined ? change : { ...change, traceparent: parent }),
      );
      wake();
    }
  });

  const read = (row: Readonly<Record<string, unknown>>): NumberedEvent => ({
    number: Number(row['number']),
    change: JSON.parse(String(row['change'])) as Change,
  });

  return {
    due: (at) =>
      database.all(`SELECT * FROM fhir_deliveries WHERE seq IN ${HEADS} AND due_at <= ?`, at).map((row) => ({
        seq: Number(row['seq']),
        subscription: String(row['subscription']),
        attempts: Number(row['attempts']),
        event: read(row),
      })),
    done(seq) {
      const row = database.get('UPDATE fhir_deliveries SET done = 1 WHERE seq = ? RETURNING subscription, number', seq);
      if (!row) return;
      const last = Number(row['number']) - KEPT_EVENTS;
      database.run(
        'DELETE FROM fhir_deliveries WHERE done = 1 AND subscription = ? AND number < ?',
        row['subscription'],
        last,
      );
    },
    later: (seq, dueAt) =>
      void database.run('UPDATE fhir_deliveries SET attempts = attempts + 1, due_at = ? WHERE seq = ?', dueAt, seq),
    drop: (subscription) =>
      void database.run('UPDATE fhir_deliveries SET done = 1 WHERE done = 0 AND subscription = ?', subscription),
    count,
    events: (subscription, from, to) =>
      database
        .all(
          'SELECT number, change FROM fhir_deliveries WHERE subscription = ? AND number BETWEEN ? AND ? ORDER BY number',
          subscription,
          from,
          to,
        )
        .map(read),
    pending: () => Number(database.get('SELECT count(*) AS n FROM fhir_deliveries WHERE done = 0')?.['n'] ?? 0),
    nextDueAt: () => {
      const row = database.get(`SELECT min(due_at) AS at FROM fhir_deliveries WHERE seq IN ${HEADS}`);
      return row?.['at'] == null ? undefined : Number(row['at']);
    },
  };
}
