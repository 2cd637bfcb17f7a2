/** Prediction as a process. */
import { fileURLToPath } from 'node:url';
import { patientKey } from '@engram/config';
import { DEFAULT_MODEL, loadModel } from '@engram/models';
import { peersOver, runService, VERSION } from '@engram/service';
import { createPrediction } from './index.ts';

await runService('prediction', async ({ config, fetch, ...ports }) => {
  const token = config.token ?? undefined;
  return createPrediction({
    ...ports,
    ...peersOver({ fetch, ...config.peers, token }),
    model: await loadModel(fileURLToPath(DEFAULT_MODEL)),
    patientKeyOf: (id) => patientKey(config.siteSecret, ports.fhir.base, id),
    version: VERSION,
    token,
    tls: config.tls ?? undefined,
  });
});
