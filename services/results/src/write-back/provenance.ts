/** Who and what made a forecast's resources (HL7 AI Transparency). R4 Provenance has no identifier: conditional on target and agent. */
import { AI_ASSERTED } from '@engram/contracts';
import type { Provenance, Reference } from '@medplum/fhirtypes';

const DERIVATION = 'derivation';

export const forecastProvenance = (
  targets: readonly Reference[],
  device: string,
  modelCard: string,
  inputs: readonly Reference[],
  recorded: string,
): Provenance => ({
  resourceType: 'Provenance',
  target: [...targets],
  recorded,
  reason: [{ coding: [{ ...AI_ASSERTED }] }],
  agent: [
    {
      type: {
        coding: [{ system: 'http://terminology.hl7.org/CodeSystem/provenance-participant-type', code: 'assembler' }],
      },
      role: [{ text: 'Artificial-Intelligence' }],
      who: { reference: device },
    },
  ],
  entity: [
    { role: DERIVATION, what: { reference: modelCard } },
    ...inputs.map((what) => ({ role: DERIVATION as 'derivation', what })),
  ],
});

/** Search that finds the Provenance of a report by a device: the second write of it does no harm. */
export const provenanceCondition = (target: string, device: string): string =>
  `target=${encodeURIComponent(target)}&agent=${encodeURIComponent(device)}`;
