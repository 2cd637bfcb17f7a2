/** Ingestion's own Subscriptions on the FHIR server: made once, and woken again when the server has given them up. */
import { canonicalJson } from '@engram/contracts';
import {
  demographicSearchTokens,
  SUBSCRIPTION_EXTENSIONS as EXTENSIONS,
  type FhirClient,
  scoreSearchTokens,
} from '@engram/fhir';
import type { Extension, Subscription } from '@medplum/fhirtypes';

export interface SubscribeDeps {
  readonly fhir: FhirClient;
  /** Where the FHIR server reaches this service. */
  readonly endpoint: string;
  /** Bearer token that the notifications must carry. */
  readonly token?: string | undefined;
  /** Shared secret with which servers that can do so sign their notifications. */
  readonly secret?: string | undefined;
}

/** Without a status filter, so that entered-in-error is told too. */
export const CRITERIA: readonly string[] = [
  'ImagingStudy?',
  `Observation?code=${scoreSearchTokens()},${demographicSearchTokens()}`,
  'Patient?',
];

const HAPI_RETRIES = 'http://hapifhir.io/fhir/StructureDefinition/subscription-delivery-retry-count';

/** HAPI looks for these on the channel. A failed delivery is not tried again unless asked for. */
const hapi: readonly Extension[] = [
  { url: EXTENSIONS.sendDeletes, valueBoolean: true },
  { url: HAPI_RETRIES, valueInteger: 5 },
];

function subscriptionOf(criteria: string, { endpoint, token, secret }: SubscribeDeps): Subscription {
  return {
    resourceType: 'Subscription',
    status: 'requested',
    reason: 'Engram prepares imaging features and forecasts before they are asked for',
    criteria,
    ...(secret === undefined ? {} : { extension: [{ url: EXTENSIONS.secret, valueString: secret }] }),
    channel: {
      extension: [...hapi],
      type: 'rest-hook',
      endpoint,
      payload: 'application/fhir+json',
      ...(token === undefined ? {} : { header: [`Authorization: Bearer ${token}`] }),
    },
  };
}

const facts = ({ extension, channel }: Subscription): string =>
  canonicalJson([extension, channel.extension, channel.header, channel.payload]);

/** Second time does no harm. */
export async function ensureSubscriptions(deps: SubscribeDeps): Promise<void> {
  const { fhir, endpoint } = deps;
  const existing = (await fhir.search('Subscription', { url: endpoint })).filter(
    (one) => one.channel.endpoint === endpoint,
  );
  for (const criteria of CRITERIA) {
    const wanted = subscriptionOf(criteria, deps);
    const [own, ...twins] = existing.filter((one) => one.criteria === criteria && one.status !== 'off');
    // Two processes may have started at once: one of each is enough.
    for (const twin of twins) if (twin.id !== undefined) await fhir.remove('Subscription', twin.id);
    if (!own?.id) await fhir.create(wanted);
    else if (own.status === 'error' || facts(own) !== facts(wanted)) {
      await fhir.update({ ...wanted, id: own.id });
    }
  }
}
