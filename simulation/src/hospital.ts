/**
 * What happens at the hospital: patients, scores and studies appear on the FHIR server, grow, and are withdrawn. Drawn
 * from the seed before anything else, so that what must come of it is known.
 */
import { FHIR_URLS } from '@engram/contracts';
import type { ImagingStudy, ImagingStudySeries, Observation, Patient } from '@medplum/fhirtypes';
import type { Chance } from './chance.ts';
import { BROKEN } from './runner.ts';

export const ARCHIVE = 'https://archive.simulation.test';

export interface Happening {
  /** Milliseconds after the start. */
  readonly at: number;
  readonly resource: (Patient | Observation | ImagingStudy) & { id: string };
}

/** What a session must rest on in the end. */
export interface ExpectedSession {
  readonly patientId: string;
  readonly t1Study: string;
  readonly studies: readonly string[];
  /** Sorted `role url` lines. */
  readonly content: string;
  readonly isBroken: boolean;
}

export interface Scenario {
  readonly happenings: readonly Happening[];
  readonly patients: readonly { readonly id: string; readonly scores: readonly string[] }[];
  readonly sessions: readonly ExpectedSession[];
  /** Ids of studies that stand in the end, and of those that were withdrawn. */
  readonly standing: readonly string[];
  readonly withdrawn: readonly string[];
}

const DICOM = 'http://dicom.nema.org/resources/ontology/DCM';
const SCAN_DAYS = ['2026-02-10', '2025-03-04'] as const;

const imageUrl = (study: string, role: string, version: number, isBroken: boolean): string =>
  `${ARCHIVE}/${isBroken ? `${BROKEN}/` : ''}${study}/${role}-${version}.nii.gz`;

function series(study: string, role: 't1' | 'pet', url: string, instances: number): ImagingStudySeries {
  const isT1 = role === 't1';
  return {
    uid: `1.2.3.${study.replace(/\D/g, '')}.${isT1 ? 1 : 2}`,
    modality: { system: DICOM, code: isT1 ? 'MR' : 'PT' },
    description: isT1 ? 'MPRAGE' : 'PET AV45',
    numberOfInstances: instances,
    extension: [
      { url: FHIR_URLS.imageUrl, valueUrl: url },
      ...(isT1 ? [] : [{ url: FHIR_URLS.tracer, valueString: 'AV45' }]),
    ],
  };
}

const studyOf = (id: string, patientId: string, day: string, parts: readonly ImagingStudySeries[]) => ({
  resourceType: 'ImagingStudy' as const,
  id,
  status: 'available' as const,
  identifier: [{ system: 'urn:dicom:uid', value: `urn:oid:1.2.3.${id.replace(/\D/g, '')}` }],
  subject: { reference: `Patient/${patientId}` },
  started: `${day}T09:00:00Z`,
  series: [...parts],
});

const scoreOf = (id: string, patientId: string, value: number, day: string): Observation & { id: string } => ({
  resourceType: 'Observation',
  id,
  status: 'final',
  code: { coding: [{ system: 'http://loinc.org', code: '72106-8' }] },
  subject: { reference: `Patient/${patientId}` },
  effectiveDateTime: day,
  valueQuantity: { value, code: '{score}', system: 'http://unitsofmeasure.org' },
});

/** @param within milliseconds in which all of it happens. */
export function drawScenario(chance: Chance, within: number): Scenario {
  const happenings: Happening[] = [];
  const sessions: ExpectedSession[] = [];
  const [standing, withdrawn]: [string[], string[]] = [[], []];
  const patients = Array.from({ length: chance.happens(0.25) ? 2 : 1 }, (_, p) => drawPatient(`p${p + 1}`));

  function drawPatient(id: string): Scenario['patients'][number] {
    happenings.push({ at: 0, resource: { resourceType: 'Patient', id, gender: 'female', birthDate: '1950-03-01' } });
    const scores = Array.from({ length: chance.between(0, 2) }, (_, k) => `${id}-score-${k + 1}`);
    for (const [k, score] of scores.entries()) {
      happenings.push({ at: chance.between(0, within), resource: scoreOf(score, id, 28 - k, `2026-01-0${k + 1}`) });
    }
    const count = chance.happens(0.2) ? 2 : 1;
    for (const [k, day] of SCAN_DAYS.slice(0, count).entries()) drawSession(id, `${id.slice(1)}${k + 1}`, day);
    return { id, scores };
  }

  function drawSession(patientId: string, number: string, day: string): void {
    const t1Study = `study-${number}1`;
    const isBroken = chance.happens(0.05);
    const isGrowing = chance.happens(0.15);
    const petPlace = chance.pick(['none', 'none', 'same', 'other'] as const);
    const isWithdrawn = chance.happens(0.1);
    const isPetWithdrawn = petPlace === 'other' && chance.happens(0.2);
    const first = chance.between(0, Math.floor(within / 2));
    const after = () => chance.between(first + 1, within);

    const partsOf = (version: number): ImagingStudySeries[] => [
      series(t1Study, 't1', imageUrl(t1Study, 't1', version, isBroken), 170 + version),
      ...(petPlace === 'same' ? [series(t1Study, 'pet', imageUrl(t1Study, 'pet', 1, isBroken), 90)] : []),
    ];
    happenings.push({ at: first, resource: studyOf(t1Study, patientId, day, partsOf(1)) });
    const grown = isGrowing ? after() : first;
    const final = studyOf(t1Study, patientId, day, partsOf(isGrowing ? 2 : 1));
    if (isGrowing) happenings.push({ at: grown, resource: final });
    if (isWithdrawn) {
      happenings.push({
        at: chance.between(grown + 1, within + 60_000),
        resource: { ...final, status: 'entered-in-error' },
      });
    }
    (isWithdrawn ? withdrawn : standing).push(t1Study);

    const petStudy = `study-${number}2`;
    const petUrl = imageUrl(petStudy, 'pet', 1, isBroken);
    if (petPlace === 'other') {
      const at = chance.between(0, within);
      const pet = studyOf(petStudy, patientId, day, [series(petStudy, 'pet', petUrl, 90)]);
      happenings.push({ at, resource: pet });
      if (isPetWithdrawn) {
        happenings.push({
          at: chance.between(at + 1, within + 60_000),
          resource: { ...pet, status: 'entered-in-error' },
        });
      }
      (isPetWithdrawn ? withdrawn : standing).push(petStudy);
    }
    if (isWithdrawn) return;
    const hasOther = petPlace === 'other' && !isPetWithdrawn;
    const content = [
      ...(petPlace === 'same' ? [`pet ${imageUrl(t1Study, 'pet', 1, isBroken)}`] : hasOther ? [`pet ${petUrl}`] : []),
      `t1 ${imageUrl(t1Study, 't1', isGrowing ? 2 : 1, isBroken)}`,
    ].join('\n');
    sessions.push({ patientId, t1Study, studies: [t1Study, ...(hasOther ? [petStudy] : [])], content, isBroken });
  }

  return { happenings: happenings.sort((a, b) => a.at - b.at), patients, sessions, standing, withdrawn };
}
