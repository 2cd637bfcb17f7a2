import { FHIR_URLS } from '@engram/contracts';
import type { ImagingStudy } from '@medplum/fhirtypes';
import { expect, test } from 'vitest';
import { withStatus } from './imaging-study.ts';

const study: ImagingStudy = {
  resourceType: 'ImagingStudy',
  id: '17',
  status: 'available',
  subject: { reference: 'Patient/1' },
  extension: [{ url: 'https://example.org/theirs', valueString: 'kept' }],
};

test('our two extensions are set and nobody else’s are touched', () => {
  const changed = withStatus(study, 'completed', 'http://127.0.0.1/features');
  expect(changed?.extension).toEqual([
    { url: 'https://example.org/theirs', valueString: 'kept' },
    { url: FHIR_URLS.preprocessingStatus, valueCode: 'completed' },
    { url: FHIR_URLS.preprocessedFeaturesUrl, valueUrl: 'http://127.0.0.1/features' },
  ]);
  expect({ ...changed, extension: study.extension }).toEqual(study);
});

test('what already says so is not written again', () => {
  const changed = withStatus(study, 'queued', null);
  expect(changed && withStatus(changed, 'queued', null)).toBeUndefined();
});
