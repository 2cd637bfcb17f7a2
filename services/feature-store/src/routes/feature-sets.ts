/** Feature sets by patient, id and version; the documents they name; their files in either layout. */
import {
  featureSetList,
  featureSetView,
  fileList,
  patientKey,
  roiFeatures,
  sessionDate,
  sessionPrefix,
  versionPrefix,
} from '@engram/contracts';
import { EngramError } from '@engram/errors';
import type { App } from '@engram/http';
import type { Objects } from '@engram/objects';
import { z } from 'zod';
import { bidsName, datasetDescription } from '../bids.ts';
import type { FeatureSet, FeatureSetVersion } from '../feature-set.ts';
import type { FeatureStore } from '../store.ts';
import { viewOf } from '../view-of.ts';

const versionParams = z.object({ id: z.string(), version: z.coerce.number().int().min(1) });

export interface FeatureSetRouteDeps {
  readonly store: FeatureStore;
  readonly objects: Objects;
  readonly version: string;
}

export function addFeatureSetRoutes(app: App, { store, objects, version: engramVersion }: FeatureSetRouteDeps): void {
  const findSet = async (id: string): Promise<FeatureSet> => {
    const set = await store.read(id);
    if (!set) throw new EngramError('FEATURE_SET_NOT_FOUND', 'there is no feature set with this id', { field: 'id' });
    return set;
  };
  const findVersion = async (id: string, number: number): Promise<[FeatureSet, FeatureSetVersion]> => {
    const set = await findSet(id);
    const version = set.versions.find((each) => each.version === number);
    if (!version) {
      throw new EngramError('FEATURE_SET_NOT_FOUND', `the feature set has no version ${number}`, { field: 'version' });
    }
    if (version.studies.some((study) => set.retracted_study_ids.includes(study.study_id))) {
      throw new EngramError('FEATURE_SET_NOT_FOUND', `version ${number} was withdrawn`, { field: 'version' });
    }
    return [set, version];
  };
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
    async ({ params }) => viewOf(await findSet(params.id)),
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
      const [, version] = await findVersion(params.id, params.version);
      return document(version);
    },
  );

  app.get(
    '/api/v1/feature-sets/:id/versions/:version/files',
    {
      schema: {
        summary: 'Files of a version under the seed’s names or BIDS-Derivatives names',
        params: versionParams,
        querystring: z.object({ layout: z.enum(['engram', 'bids']).default('engram') }),
        response: { 200: fileList },
      },
    },
    async ({ params, query }) => {
      const [set, version] = await findVersion(params.id, params.version);
      const folder =
        version.version === set.current
          ? sessionPrefix(set.patient_key, set.session_date)
          : versionPrefix(set.patient_key, set.session_date, version.version);
      const files = version.artifacts.flatMap(({ name, sha256, bytes }) => {
        const shown = query.layout === 'bids' ? bidsName(set, version, name) : name;
        return shown === undefined ? [] : [{ name: shown, key: `${folder}${name}`, sha256, bytes }];
      });
      return {
        layout: query.layout,
        files,
        dataset_description: query.layout === 'bids' ? datasetDescription(engramVersion) : null,
      };
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
