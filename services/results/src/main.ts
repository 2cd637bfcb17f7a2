/** The results service as a process. */
import { readFileSync } from 'node:fs';
import { patientKey } from '@engram/config';
import { peersOver, runService, VERSION } from '@engram/service';
import { createResults } from './index.ts';

await runService('results', async ({ config, fetch, ...ports }) => {
  const token = config.token ?? undefined;
  return createResults({
    ...ports,
    ...peersOver({ fetch, ...config.peers, token }),
    featuresUrl: (id, version) => `${config.peers.featureStore}/api/v1/feature-sets/${id}/versions/${version}/features`,
    modelCardText: readFileSync(new URL('../../../models/progression/MODEL_CARD.md', import.meta.url), 'utf8'),
    patientKeyOf: (id) => patientKey(config.siteSecret, ports.fhir.base, id),
    version: VERSION,
    token,
    tls: config.tls ?? undefined,
  });
});
