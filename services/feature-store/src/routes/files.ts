/** The files of a version: their names in either layout, and each of them by a link that lasts minutes. */
import { fileList, sessionPrefix, versionPrefix } from '@engram/contracts';
import { EngramError } from '@engram/errors';
import type { App } from '@engram/http';
import type { Objects } from '@engram/objects';
import { z } from 'zod';
import { bidsName, datasetDescription } from '../bids.ts';
import type { FeatureSet, FeatureSetVersion } from '../feature-set.ts';
import { findVersion, versionParams } from '../find-version.ts';
import type { FeatureStore } from '../store.ts';

export interface FileRouteDeps {
  readonly store: FeatureStore;
  readonly objects: Objects;
  readonly version: string;
}

/** Long enough to begin a download, short enough to be worth little when it leaks. */
const LINK_SECONDS = 300;

/** The version in use lies in the view; the others below `versions/`. */
const folderOf = (set: FeatureSet, { version }: FeatureSetVersion): string =>
  version === set.current
    ? sessionPrefix(set.patient_key, set.session_date)
    : versionPrefix(set.patient_key, set.session_date, version);

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
      const folder = folderOf(set, version);
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
      if (!version.artifacts.some(({ name }) => name === params.name)) {
        throw new EngramError('OBJECT_NOT_FOUND', `the version has no file ${params.name}`, { field: 'name' });
      }
      const key = `${folderOf(set, version)}${params.name}`;
      const link = await objects.presign(key, { expiresInSeconds: LINK_SECONDS });
      return reply.header('cache-control', 'no-store').redirect(link, 302);
    },
  );
}
