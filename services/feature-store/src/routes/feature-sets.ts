/** Feature sets by patient, id and version, and the documents they name. */
import { featureSetList, featureSetView, patientKey, roiFeatures, sessionDate } from '@engram/contracts';
import { EngramError } from '@engram/errors';
import type { App } from '@engram/http';
import type { Objects } from '@engram/objects';
import { z } from 'zod';
import type { FeatureSetVersion } from '../feature-set.ts';
import { findSet, findVersion, versionParams } from '../find-version.ts';
import type { FeatureStore } from '../store.ts';
import { viewOf } from '../view-of.ts';

export interface FeatureSetRouteDeps {
  readonly store: FeatureStore;
  readonly objects: Objects;
}

export function addFeatureSetRoutes(app: App, { store, objects }: FeatureSetRouteDeps): void {
  const document = async (version: FeatureSetVersion) =>
    roiFeatures.parse(JSON.parse(new TextDecoder().decode(await objects.get(version.features_key))));

  app.get(
    '/api/v1/feature-sets',
    {
      schema: {
        summary: 'Feature sets of a patient, or all of them page by page',
        querystring: z.object({
          patient_key: patientKey.optional(),
          cursor: z.string().optional(),
          limit: z.coerce.number().int().min(1).max(500).default(100),
        }),
        response: { 200: featureSetList },
      },
    },
    async ({ query }) => {
      if (query.patient_key) {
        return { feature_sets: (await store.ofPatient(query.patient_key)).map(viewOf), next: null };
      }
      const page = await store.page({ limit: query.limit, ...(query.cursor ? { cursor: query.cursor } : {}) });
      return { feature_sets: page.sets.map(viewOf), next: page.next };
    },
  );

  app.get(
    '/api/v1/feature-sets/:id',
    { schema: { summary: 'One feature set', params: z.object({ id: z.string() }), response: { 200: featureSetView } } },
    async ({ params }) => viewOf(await findSet(store, params.id)),
  );

  app.get(
    '/api/v1/feature-sets/:id/versions/:version/features',
    {
      schema: {
        summary: 'The feature document of a version',
        params: versionParams,
        response: { 200: roiFeatures },
      },
    },
    async ({ params }) => {
      const [, version] = await findVersion(store, params.id, params.version);
      return document(version);
    },
  );

  app.get(
    '/api/v1/sessions/:patient_key/:session_date/features',
    {
      schema: {
        summary: 'The feature document in use of a session',
        params: z.object({ patient_key: patientKey, session_date: sessionDate }),
        response: { 200: roiFeatures },
      },
    },
    async ({ params }) => {
      const sets = await store.ofPatient(params.patient_key);
      const set = sets.find((each) => each.session_date === params.session_date);
      const version = set?.versions.find((each) => each.version === set.current);
      if (!version) throw new EngramError('FEATURE_SET_NOT_FOUND', 'the session has no features in use');
      return document(version);
    },
  );
}
