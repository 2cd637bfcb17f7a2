/** Age, sex, education and APOE e4 of a patient, each null where the server does not say. */
import type { Coding, Observation, Patient } from '@medplum/fhirtypes';
import { isForecast } from './read-scores.ts';
import { LOINC, SNOMED } from './score-codes.ts';

export interface Demographics {
  /** Full years on the day asked for. */
  readonly ageYears: number | null;
  readonly sex: 'female' | 'male' | null;
  readonly educationYears: number | null;
  /** Number of e4 alleles, 0 to 2. */
  readonly apoe4: number | null;
}

/** LOINC 82590-1 "Total years of education"; SNOMED CT 105421008 "Educational achievement". */
export const EDUCATION_CODES: readonly Coding[] = [
  { system: LOINC, code: '82590-1', display: 'Total years of education' },
  { system: SNOMED, code: '105421008', display: 'Educational achievement' },
];
/** LOINC 21619-2 "APOE gene mutations tested for"; LOINC 42315-2 "APOE gene allele e4". */
export const APOE_CODES: readonly Coding[] = [
  { system: LOINC, code: '21619-2', display: 'APOE gene mutations found' },
  { system: LOINC, code: '42315-2', display: 'APOE gene allele e4' },
];

const MEASURED = new Set(['final', 'amended', 'corrected']);

/** Full years between two dates as written, of which a birth date may lack month and day. */
export function ageOn(birthDate: string, day: string): number | null {
  const [year, month = '07', date = '01'] = birthDate.split('-');
  const years = Number(day.slice(0, 4)) - Number(year) - (day.slice(5, 10) < `${month}-${date}` ? 1 : 0);
  return Number.isInteger(years) && years >= 0 && years <= 125 ? years : null;
}

/** Alleles named as e3/e4, E4/E4, ε3ε4, APOE4/4 or 3/4. */
export function e4Alleles(genotype: string): number | null {
  const plain = genotype.toLowerCase().replace(/apoe|[^0-9]/g, '');
  return /^[234]{2}$/.test(plain) ? [...plain].filter((allele) => allele === '4').length : null;
}

const newestFirst = (a: Observation, b: Observation): number =>
  (a.effectiveDateTime ?? '') < (b.effectiveDateTime ?? '') ? 1 : -1;

function newestValue<T>(
  observations: readonly Observation[],
  codes: readonly Coding[],
  read: (o: Observation) => T | null,
): T | null {
  const carries = (o: Observation) =>
    o.code?.coding?.some((c) => codes.some(({ system, code }) => c.system === system && c.code === code));
  for (const observation of observations.filter((o) => MEASURED.has(o.status) && !isForecast(o)).sort(newestFirst)) {
    const value = carries(observation) ? read(observation) : null;
    if (value !== null) return value;
  }
  return null;
}

/** @param day the day age is wanted for, `YYYY-MM-DD`. */
export function readDemographics(patient: Patient, observations: readonly Observation[], day: string): Demographics {
  const education = newestValue(observations, EDUCATION_CODES, ({ valueQuantity, valueInteger }) => {
    const years =
      valueInteger ??
      (['a', 'years', 'year', undefined].includes(valueQuantity?.code ?? valueQuantity?.unit)
        ? valueQuantity?.value
        : undefined);
    return years !== undefined && years >= 0 && years <= 40 ? years : null;
  });
  const apoe4 = newestValue(observations, APOE_CODES, ({ valueCodeableConcept, valueString, valueInteger }) => {
    if (valueInteger !== undefined) return valueInteger >= 0 && valueInteger <= 2 ? valueInteger : null;
    const texts = [
      valueString,
      valueCodeableConcept?.text,
      ...(valueCodeableConcept?.coding ?? []).map((c) => c.display),
    ];
    for (const text of texts) {
      const alleles = text === undefined ? null : e4Alleles(text);
      if (alleles !== null) return alleles;
    }
    return null;
  });
  const { gender, birthDate } = patient;
  return {
    ageYears: birthDate === undefined ? null : ageOn(birthDate, day),
    sex: gender === 'female' || gender === 'male' ? gender : null,
    educationYears: education,
    apoe4,
  };
}

/** A token search that finds the Observations of education and APOE: `code=…`. */
export const demographicSearchTokens = (): string =>
  [...EDUCATION_CODES, ...APOE_CODES].map(({ system, code }) => `${system}|${code}`).join(',');
