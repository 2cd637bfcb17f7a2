/** How a Subscription wants to be told: the four rest-hook dialects in use. */
import type { Extension, Subscription } from '@medplum/fhirtypes';

const BACKPORT = 'http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition';
const MEDPLUM = 'https://www.medplum.com/fhir/StructureDefinition';

export const EXTENSIONS = {
  backportProfile: `${BACKPORT}/backport-subscription`,
  filterCriteria: `${BACKPORT}/backport-filter-criteria`,
  payloadContent: `${BACKPORT}/backport-payload-content`,
  heartbeat: `${BACKPORT}/backport-heartbeat-period`,
  maxCount: `${BACKPORT}/backport-max-count`,
  statusProfile: `${BACKPORT}/backport-subscription-status-r4`,
  notificationProfile: `${BACKPORT}/backport-subscription-notification-r4`,
  secret: `${MEDPLUM}/subscription-secret`,
  interaction: `${MEDPLUM}/subscription-supported-interaction`,
  /** HAPI, on the channel: tells of deletions by `DELETE endpoint/Type/id`. */
  sendDeletes: 'http://hapifhir.io/fhir/StructureDefinition/subscription-send-delete-messages',
} as const;

export type Dialect =
  /** `POST endpoint` without a body. */
  | { readonly kind: 'empty' }
  /** `PUT endpoint/Type/id` with the resource. */
  | { readonly kind: 'put'; readonly deletes: boolean }
  /** `POST endpoint` with the resource, signed. */
  | { readonly kind: 'signed'; readonly secret: string; readonly interaction: string | undefined }
  /** A history Bundle. */
  | {
      readonly kind: 'backport';
      readonly content: 'empty' | 'id-only' | 'full-resource';
      readonly heartbeatSeconds: number | undefined;
      readonly topic: string;
    };

/** In JSON the extensions of a primitive stand beside it under `_name`; the typings leave them out. */
function extensionsOf(holder: object | undefined, name: string): readonly Extension[] {
  const beside: unknown = holder && Object.entries(holder).find(([key]) => key === `_${name}`)?.[1];
  const extension =
    beside !== null && typeof beside === 'object' && 'extension' in beside ? beside.extension : undefined;
  return Array.isArray(extension) ? extension : [];
}

const first = (extensions: readonly Extension[] | undefined, url: string): Extension | undefined =>
  extensions?.find((extension) => extension.url === url);

export function dialectOf({ channel, criteria, extension, meta }: Subscription): Dialect {
  const content = first(extensionsOf(channel, 'payload'), EXTENSIONS.payloadContent)?.valueCode;
  if (content !== undefined || meta?.profile?.includes(EXTENSIONS.backportProfile)) {
    const known = content === 'id-only' || content === 'full-resource' ? content : 'empty';
    const heartbeatSeconds = first(channel.extension, EXTENSIONS.heartbeat)?.valueUnsignedInt;
    return { kind: 'backport', content: known, heartbeatSeconds, topic: criteria };
  }
  const secret = first(extension, EXTENSIONS.secret)?.valueString;
  if (secret !== undefined) {
    return { kind: 'signed', secret, interaction: first(extension, EXTENSIONS.interaction)?.valueCode };
  }
  const deletes = first(channel.extension, EXTENSIONS.sendDeletes)?.valueBoolean === true;
  return channel.payload ? { kind: 'put', deletes } : { kind: 'empty' };
}

/** Queries that must all match: the plain criteria, or every filter beside a topic. */
export function criteriaOf(subscription: Subscription): readonly string[] {
  if (dialectOf(subscription).kind !== 'backport') return [subscription.criteria];
  return extensionsOf(subscription, 'criteria')
    .filter(({ url }) => url === EXTENSIONS.filterCriteria)
    .flatMap(({ valueString }) => valueString ?? []);
}

/** `Name: value` strings of the channel, as headers. */
export function headersOf({ channel }: Subscription): Readonly<Record<string, string>> {
  return Object.fromEntries(
    (channel.header ?? []).flatMap((line) => {
      const colon = line.indexOf(':');
      return colon > 0 ? [[line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()]] : [];
    }),
  );
}
