/** Ingestion as a process. */
import { notificationSecret, patientKey } from '@engram/config';
import { runService, VERSION } from '@engram/service';
import { createIngestion } from './index.ts';

await runService('ingestion', async ({ config, ...ports }) =>
  createIngestion({
    ...ports,
    patientKey: (id) => patientKey(config.siteSecret, ports.fhir.base, id),
    publicUrl: () => config.peers.ingestion,
    quietMs: config.quietS * 1000,
    pollMs: config.pollS * 1000,
    notificationSecret: notificationSecret(config.siteSecret),
    // The adapters of a process relay the outbox of all that is open in it.
    relay: false,
    version: VERSION,
    token: config.token ?? undefined,
    tls: config.tls ?? undefined,
  }),
);
