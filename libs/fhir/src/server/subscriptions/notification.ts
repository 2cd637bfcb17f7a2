/** The request that tells a subscriber, in its dialect. Pure. */
import { createHmac } from 'node:crypto';
import type { Bundle, ParametersParameter, Subscription } from '@medplum/fhirtypes';
import type { Change, Stored } from '../store.ts';
import { type Dialect, dialectOf, EXTENSIONS, headersOf } from './channel.ts';

export interface Notification {
  readonly method: 'POST' | 'PUT' | 'DELETE';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface NumberedEvent {
  /** 1 for the first since the subscription started. */
  readonly number: number;
  readonly change: Change;
}

const FHIR_JSON = 'application/fhir+json';

/** Undefined where the dialect has no word for such a change. */
export function notificationOf(
  subscription: Stored & Subscription,
  event: NumberedEvent,
  base: string,
): Notification | undefined {
  const dialect = dialectOf(subscription);
  const endpoint = (subscription.channel.endpoint ?? '').replace(/\/$/, '');
  const headers = headersOf(subscription);
  const { interaction, resource } = event.change;
  const reference = `${resource.resourceType}/${resource.id}`;
  switch (dialect.kind) {
    case 'empty':
      return { method: 'POST', url: endpoint, headers, body: '' };
    case 'put': {
      if (interaction === 'delete') {
        return dialect.deletes ? { method: 'DELETE', url: `${endpoint}/${reference}`, headers, body: '' } : undefined;
      }
      const body = JSON.stringify(resource);
      return {
        method: 'PUT',
        url: `${endpoint}/${reference}`,
        headers: { ...headers, 'content-type': FHIR_JSON },
        body,
      };
    }
    case 'signed': {
      if (dialect.interaction !== undefined && dialect.interaction !== interaction) return undefined;
      const body = interaction === 'delete' ? '{}' : JSON.stringify(resource);
      const signed = {
        ...headers,
        'content-type': FHIR_JSON,
        'x-medplum-subscription': subscription.id,
        'x-medplum-interaction': interaction,
        'x-signature': createHmac('sha256', dialect.secret).update(body).digest('hex'),
        ...(interaction === 'delete' ? { 'x-medplum-deleted-resource': reference } : {}),
      };
      return { method: 'POST', url: endpoint, headers: signed, body };
    }
    case 'backport': {
      const bundle = backportBundle(
        subscription,
        dialect,
        'event-notification',
        [event],
        event.number,
        base,
        event.change.at,
      );
      return {
        method: 'POST',
        url: endpoint,
        headers: { ...headers, 'content-type': FHIR_JSON },
        body: JSON.stringify(bundle),
      };
    }
  }
}

/** Handshake or heartbeat of a Backport subscription. */
export function statusNotification(
  subscription: Stored & Subscription,
  type: 'handshake' | 'heartbeat',
  count: number,
  base: string,
  at: string,
): Notification | undefined {
  const dialect = dialectOf(subscription);
  if (dialect.kind !== 'backport') return undefined;
  return {
    method: 'POST',
    url: (subscription.channel.endpoint ?? '').replace(/\/$/, ''),
    headers: { ...headersOf(subscription), 'content-type': FHIR_JSON },
    body: JSON.stringify(backportBundle(subscription, dialect, type, [], count, base, at)),
  };
}

export type StatusType = 'handshake' | 'heartbeat' | 'event-notification' | 'query-status' | 'query-event';

/** A Backport R4 notification: history Bundle whose first entry is the status. Counters are strings in R4. */
export function backportBundle(
  subscription: Stored & Subscription,
  dialect: Dialect & { kind: 'backport' },
  type: StatusType,
  events: readonly NumberedEvent[],
  count: number,
  base: string,
  at: string,
): Bundle {
  const said = dialect.content === 'empty' ? [] : events;
  const focusOf = ({ resource }: Change) => `${base}/${resource.resourceType}/${resource.id}`;
  const parts = events.map(
    ({ number, change }): ParametersParameter => ({
      name: 'notification-event',
      part: [
        { name: 'event-number', valueString: String(number) },
        { name: 'timestamp', valueInstant: change.at },
        ...(dialect.content === 'empty' ? [] : [{ name: 'focus', valueReference: { reference: focusOf(change) } }]),
      ],
    }),
  );
  return {
    resourceType: 'Bundle',
    meta: { profile: [EXTENSIONS.notificationProfile] },
    type: 'history',
    timestamp: at,
    entry: [
      {
        fullUrl: `urn:uuid:${crypto.randomUUID()}`,
        resource: {
          resourceType: 'Parameters',
          meta: { profile: [EXTENSIONS.statusProfile] },
          parameter: [
            { name: 'subscription', valueReference: { reference: `${base}/Subscription/${subscription.id}` } },
            { name: 'topic', valueCanonical: dialect.topic },
            { name: 'status', valueCode: type === 'handshake' ? 'requested' : subscription.status },
            { name: 'type', valueCode: type },
            { name: 'events-since-subscription-start', valueString: String(count) },
            ...parts,
          ],
        },
        request: { method: 'GET', url: `Subscription/${subscription.id}/$status` },
        response: { status: '200' },
      },
      ...said.map(({ change }) => ({
        fullUrl: focusOf(change),
        ...(dialect.content === 'full-resource' && change.interaction !== 'delete'
          ? { resource: change.resource }
          : {}),
        request: {
          method:
            change.interaction === 'create'
              ? ('POST' as const)
              : change.interaction === 'update'
                ? ('PUT' as const)
                : ('DELETE' as const),
          url:
            change.interaction === 'create'
              ? change.resource.resourceType
              : `${change.resource.resourceType}/${change.resource.id}`,
        },
        response: { status: change.interaction === 'create' ? '201' : change.interaction === 'update' ? '200' : '204' },
      })),
    ],
  };
}
