/** The Devices that made the results: the imaging engine and the forecast model, each version one resource. */
import { FHIR_URLS, type Forecast } from '@engram/contracts';
import type { Device, DocumentReference } from '@medplum/fhirtypes';
import { aiMeta, identifier, noticeOf, researchNote } from './observation.ts';

export const engineDevice = (version: string): Device => ({
  resourceType: 'Device',
  identifier: [identifier(FHIR_URLS.identifiers.device, `engram-imaging-engine/${version}`)],
  status: 'active',
  deviceName: [{ name: 'Engram imaging engine', type: 'model-name' }],
  type: { text: 'Image processing software' },
  version: [{ value: version }],
  note: researchNote,
});

export const modelDevice = (forecast: Pick<Forecast, 'model_version' | 'disclaimer'>): Device => ({
  resourceType: 'Device',
  identifier: [identifier(FHIR_URLS.identifiers.device, `engram-progression-model/${forecast.model_version}`)],
  status: 'active',
  deviceName: [{ name: 'Engram progression model', type: 'model-name' }],
  type: {
    coding: [{ system: FHIR_URLS.measurements, code: 'Artificial-Intelligence', display: 'Artificial Intelligence' }],
    text: 'Artificial Intelligence',
  },
  version: [{ value: forecast.model_version }],
  note: [{ text: noticeOf(forecast) }],
});

/** The model card as a document on the FHIR server. */
export const modelCard = (modelVersion: string, markdown: string, date: string): DocumentReference => ({
  resourceType: 'DocumentReference',
  identifier: [identifier(FHIR_URLS.identifiers.modelCard, modelVersion)],
  meta: aiMeta,
  status: 'current',
  type: { text: 'Model card' },
  date,
  description: `Model card of ${modelVersion}`,
  content: [
    {
      attachment: {
        contentType: 'text/markdown',
        title: `Model card of ${modelVersion}`,
        data: Buffer.from(markdown).toString('base64'),
      },
    },
  ],
});
