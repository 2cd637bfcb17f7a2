/** The files of a version: their names in either layout, and each of them by a link that lasts minutes. */
import { fileList, sessionPrefix, versionPrefix } from '@engram/contracts';
import { EngramError } from '@engram/errors';
import type { App } from '@engram/http';
import type { Objects } from '@engram/objects';
import { z } from 'zod';
import { bidsName, datasetDescription } from '../bids.ts';
import type { FeatureSet, FeatureSetVersion, StoredArtifact } from '../feature-set.ts';
import { findVersion, versionParams } from '../find-version.ts';
import type { FeatureStore } from '../store.ts';

export interface FileRouteDeps {
  readonly store: FeatureStore;
  readonly objects: Objects;
  readonly version: string;
}

/** Long enough to begin a download, short enough to be worth little when it leaks. */
const LINK_SECONDS = 300;

/** Where its run keeps it. Of before that was known: in the view when it is in use, else below `versions/`. */
function keyOf(set: FeatureSet, { version }: FeatureSetVersion, { name, key }: StoredArtifact): string {
  if (key !== undefined) return key;
  const { patient_key, session_date, current } = set;
  const folder =
    version === current ? sessionPrefix(patient_key, session_date) : versionPrefix(patient_key, session_date, version);
  return `${folder}${name}`;
}

export function addFileRoutes(app: App, { store, objects, version: engramVersion }: FileRouteDeps): void {
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
      const [set, version] = await findVersion(store, params.id, params.version);
      const files = version.artifacts.flatMap((artifact) => {
        const { name, sha256, bytes } = artifact;
        const shown = query.layout === 'bids' ? bidsName(set, version, name) : name;
        return shown === undefined ? [] : [{ name: shown, key: keyOf(set, version, artifact), sha256, bytes }];
      });
      return {
        layout: query.layout,
        files,
        dataset_description: query.layout === 'bids' ? datasetDescription(engramVersion) : null,
      };
    },
  );

  app.get(
    '/api/v1/feature-sets/:id/versions/:version/files/:name',
    {
      schema: {
        summary: 'One file of a version: leads to a link that reads it for five minutes, without a token',
        params: versionParams.extend({ name: z.string() }),
        response: { 302: z.null() },
      },
    },
    async ({ params }, reply) => {
      const [set, version] = await findVersion(store, params.id, params.version);
      const artifact = version.artifacts.find(({ name }) => name === params.name);
      if (!artifact) {
        throw new EngramError('OBJECT_NOT_FOUND', `the version has no file ${params.name}`, { field: 'name' });
      }
      const link = await objects.presign(keyOf(set, version, artifact), { expiresInSeconds: LINK_SECONDS });
      return reply.header('cache-control', 'no-store').redirect(link, 302);
    },
  );
}
