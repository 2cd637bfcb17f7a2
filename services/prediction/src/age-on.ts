/** Full years of age on a day, from a birth date that may lack month and day. */
import { readDemographics } from '@engram/fhir';

export const ageOn = (birthDate: string | null, day: string): number | null =>
  birthDate === null ? null : readDemographics({ resourceType: 'Patient', birthDate }, [], day).ageYears;
