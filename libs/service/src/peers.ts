/** What one service reads from another: contract HTTP, parsed by the contract's schema. */
import {
  type FeatureSetView,
  type Forecast,
  featureSetList,
  forecast,
  type SessionView,
  sessionView,
} from '@engram/contracts';
import { EngramError } from '@engram/errors';
import type { Fetch } from '@engram/http';
import type { z } from 'zod';

export interface Peers {
  /** From ingestion. */
  readSession(sessionId: string): Promise<SessionView | undefined>;
  /** From prediction. */
  readForecast(forecastId: string): Promise<Forecast | undefined>;
  /** From the feature store: every feature set of a patient. */
  readFeatureSets(patientKey: string): Promise<readonly FeatureSetView[]>;
}

export interface PeerOptions {
  readonly fetch: Fetch;
  readonly ingestion: string;
  readonly prediction: string;
  readonly featureStore: string;
  readonly token?: string | undefined;
}

/** @throws UPSTREAM_FAILED when the other service does not answer or answers what the contract does not allow. */
export function peersOver({ fetch, ingestion, prediction, featureStore, token }: PeerOptions): Peers {
  const read = async <S extends z.ZodType>(url: string, schema: S): Promise<z.infer<S> | undefined> => {
    const response = await fetch(url, { headers: token === undefined ? {} : { authorization: `Bearer ${token}` } });
    if (response.status === 404) return undefined;
    if (!response.ok) throw new EngramError('UPSTREAM_FAILED', `another service answered ${response.status}`);
    const parsed = schema.safeParse(await response.json());
    if (parsed.success) return parsed.data;
    const field = parsed.error.issues[0]?.path.join('.') ?? '';
    throw new EngramError('UPSTREAM_FAILED', `another service broke its contract at ${field}`, {
      field,
      cause: parsed.error,
    });
  };
  return {
    readSession: (id) => read(`${ingestion}/api/v1/sessions/${encodeURIComponent(id)}`, sessionView),
    readForecast: (id) => read(`${prediction}/api/v1/forecasts/${encodeURIComponent(id)}`, forecast),
    async readFeatureSets(patientKey) {
      const url = `${featureStore}/api/v1/feature-sets?patient_key=${encodeURIComponent(patientKey)}`;
      return (await read(url, featureSetList))?.feature_sets ?? [];
    },
  };
}
