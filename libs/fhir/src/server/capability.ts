/** `GET /metadata`: what the embedded server does, and no more. */
import { getSearchParameters } from '@medplum/core';
import type { CapabilityStatement } from '@medplum/fhirtypes';
import { loadDefinitions } from './definitions.ts';

/** The types that Engram reads and writes; any other R4 type is stored and found in the same way. */
const TYPES = [
  'Basic',
  'Condition',
  'Device',
  'DiagnosticReport',
  'DocumentReference',
  'Encounter',
  'Endpoint',
  'ImagingStudy',
  'Observation',
  'Organization',
  'Patient',
  'Practitioner',
  'Provenance',
  'RiskAssessment',
  'ServiceRequest',
  'Subscription',
] as const;

const SEARCHED = new Set(['reference', 'string', 'uri', 'token', 'date']);

export function capabilityStatement(base: string, version: string, date: string): CapabilityStatement {
  loadDefinitions();
  const interaction = (
    ['read', 'vread', 'update', 'patch', 'delete', 'history-instance', 'create', 'search-type'] as const
  ).map((code) => ({ code }));
  return {
    resourceType: 'CapabilityStatement',
    status: 'active',
    date,
    kind: 'instance',
    fhirVersion: '4.0.1',
    format: ['json', 'application/fhir+json'],
    patchFormat: ['application/json-patch+json'],
    software: { name: 'Engram embedded FHIR server', version },
    implementation: { description: 'FHIR R4 for one machine; not for production', url: base },
    rest: [
      {
        mode: 'server',
        interaction: [{ code: 'transaction' }, { code: 'batch' }],
        resource: TYPES.map((type) => ({
          type,
          interaction,
          versioning: 'versioned-update' as const,
          readHistory: true,
          updateCreate: true,
          conditionalCreate: true,
          conditionalRead: 'not-supported' as const,
          conditionalUpdate: true,
          conditionalDelete: 'single' as const,
          searchParam: Object.values(getSearchParameters(type) ?? {})
            .filter((parameter) => SEARCHED.has(parameter.type))
            .map(({ code, type: kind }) => ({ name: code, type: kind })),
        })),
      },
    ],
  };
}
