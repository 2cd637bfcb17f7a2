/** What a notification says, in whichever of the known forms it comes. Pure: a hint where to look, never the truth itself. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { EngramError } from '@engram/errors';
import type { Bundle, Parameters, ParametersParameter } from '@medplum/fhirtypes';

export interface Focus {
  readonly type: string;
  readonly id: string;
}

export type Notice =
  /** Something changed: search. */
  | { readonly kind: 'search' }
  | { readonly kind: 'resources'; readonly focuses: readonly Focus[] }
  /** A Backport status or event notification. */
  | {
      readonly kind: 'backport';
      readonly subscription: string;
      readonly type: string;
      /** Events since the subscription started, this notification's included. */
      readonly count: number;
      /** Numbers of the events in it. */
      readonly numbers: readonly number[];
      readonly focuses: readonly Focus[];
    };

export interface Request {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
  /** Of `…/ImagingStudy/17`. */
  readonly focus?: Focus;
}

const REFERENCE = /(?:^|\/)([A-Z][A-Za-z]+)\/([A-Za-z0-9\-.]{1,64})(?:\/_history\/.*)?$/;

export function focusOf(reference: string | undefined): Focus | undefined {
  const [, type, id] = REFERENCE.exec(reference ?? '') ?? [];
  return type && id ? { type, id } : undefined;
}

/** @throws SIGNATURE_INVALID unless `X-Signature` is the hex HMAC-SHA256 of the raw body. */
export function checkSignature(body: Buffer, signature: string | undefined, secret: string): void {
  const expected = createHmac('sha256', secret).update(body).digest();
  const given = /^[0-9a-f]{64}$/i.test(signature ?? '') ? Buffer.from(signature ?? '', 'hex') : Buffer.alloc(32);
  if (!timingSafeEqual(expected, given)) {
    throw new EngramError('SIGNATURE_INVALID', 'the header X-Signature does not sign this body', {
      field: 'X-Signature',
    });
  }
}

const one = (value: string | string[] | undefined): string | undefined => (Array.isArray(value) ? value[0] : value);

/**
 * @param secret asked of every notification that comes as a signed POST.
 * @throws NOTIFICATION_INVALID; SIGNATURE_INVALID
 */
export function parseNotification({ headers, body, focus }: Request, secret?: string): Notice {
  if (focus) return { kind: 'resources', focuses: [focus] };
  const signed = headers['x-signature'] !== undefined || headers['x-medplum-subscription'] !== undefined;
  if (signed && secret !== undefined) checkSignature(body, one(headers['x-signature']), secret);
  const deleted = focusOf(one(headers['x-medplum-deleted-resource']));
  if (deleted) return { kind: 'resources', focuses: [deleted] };
  if (body.length === 0) return { kind: 'search' };
  const resource = parseJson(body);
  if (resource.resourceType === 'Bundle') return backportNotice(resource as unknown as Bundle);
  const { resourceType: type, id } = resource;
  if (typeof type !== 'string' || typeof id !== 'string') return { kind: 'search' };
  const named = focusOf(`${type}/${id}`);
  if (!named) throw new EngramError('NOTIFICATION_INVALID', 'the resource has no usable type and id');
  return { kind: 'resources', focuses: [named] };
}

function parseJson(body: Buffer): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    if (value !== null && typeof value === 'object' && !Array.isArray(value)) return { ...value };
  } catch {
    // falls through to the one refusal
  }
  throw new EngramError('NOTIFICATION_INVALID', 'the notification is neither empty nor a FHIR resource in JSON');
}

/** Counters come as strings in R4's Backport, as integers from servers that follow R5. */
const counter = (parameter: ParametersParameter | undefined): number | undefined => {
  const text = parameter?.valueString ?? parameter?.valueInteger ?? parameter?.valueUnsignedInt;
  const value = Number(text);
  return text !== undefined && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
};

function backportNotice(bundle: Bundle): Notice {
  const status = bundle.entry?.[0]?.resource as Parameters | undefined;
  if (bundle.type !== 'history' || status?.resourceType !== 'Parameters') {
    throw new EngramError('NOTIFICATION_INVALID', 'a notification bundle is a history whose first entry is its status');
  }
  const parameters = status.parameter ?? [];
  const of = (name: string) => parameters.find((parameter) => parameter.name === name);
  const type = of('type')?.valueCode;
  const subscription = of('subscription')?.valueReference?.reference;
  const said = parameters.filter(({ name }) => name === 'notification-event');
  const numbers = said.flatMap(({ part }) => counter(part?.find(({ name }) => name === 'event-number')) ?? []);
  const count = counter(of('events-since-subscription-start')) ?? Math.max(0, ...numbers);
  if (type === undefined || subscription === undefined) {
    throw new EngramError('NOTIFICATION_INVALID', 'the status names no subscription and type');
  }
  const references = [
    ...said.map(({ part }) => part?.find(({ name }) => name === 'focus')?.valueReference?.reference),
    ...(bundle.entry ?? [])
      .slice(1)
      .map(({ fullUrl, resource }) => (resource?.id ? `${resource.resourceType}/${resource.id}` : fullUrl)),
  ];
  const focuses = new Map(
    references.flatMap((text) => {
      const focus = focusOf(text);
      return focus ? [[`${focus.type}/${focus.id}`, focus] as const] : [];
    }),
  );
  return { kind: 'backport', subscription, type, count, numbers, focuses: [...focuses.values()] };
}
