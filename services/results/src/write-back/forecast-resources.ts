/**
 * A forecast in FHIR R4: RiskAssessment for the probabilities, one Observation per score and horizon for the numbers (R4's
 * RiskAssessment has no slot for a predicted number), DiagnosticReport to hold them together. Own codes, never the
 * measured score's LOINC; everything marked as AI-asserted, so that a forecast can never be read back as a measurement.
 */
import { FHIR_URLS, type Forecast, HORIZONS_MONTHS, horizonKey, SCORES, type Score } from '@engram/contracts';
import type { DiagnosticReport, ImagingStudy, Observation, Reference, RiskAssessment } from '@medplum/fhirtypes';
import { aiMeta, component, concept, identifier, noticeOf, quantity, rounded } from './observation.ts';

export interface ForecastFacts {
  readonly forecast: Forecast;
  readonly patientReference: string;
  readonly studyIds: readonly string[];
  readonly deviceReference: string;
  readonly withdrawn: boolean;
}

const DISPLAY: Record<Score, string> = {
  mmse: 'Predicted MMSE total score',
  cdr_global: 'Predicted CDR global score',
  cdr_sob: 'Predicted CDR sum of boxes',
  adas_cog: 'Predicted ADAS-Cog 13 total score',
};
const CODE: Record<Score, string> = {
  mmse: 'predicted-mmse',
  cdr_global: 'predicted-cdr-global',
  cdr_sob: 'predicted-cdr-sb',
  adas_cog: 'predicted-adas-cog-13',
};

/** The same day so many months later; a month without that day gives its last. */
export function monthsAfter(date: string, months: number): string {
  const [year, month, day] = date.slice(0, 10).split('-').map(Number) as [number, number, number];
  const last = new Date(Date.UTC(year, month - 1 + months + 1, 0));
  last.setUTCDate(Math.min(day, last.getUTCDate()));
  return last.toISOString().slice(0, 10);
}

/** Everything measured that the forecast rests on. */
export function basisOf({ forecast, studyIds }: ForecastFacts): Reference<ImagingStudy | Observation>[] {
  const scores = forecast.inputs.scores.flatMap((score) =>
    score.reference === null ? [] : [{ reference: score.reference }],
  );
  return [...studyIds.map((id) => ({ reference: `ImagingStudy/${id}` })), ...scores];
}

export function forecastObservations(facts: ForecastFacts): Observation[] {
  const { forecast } = facts;
  return HORIZONS_MONTHS.flatMap((months) =>
    SCORES.map((score): Observation => {
      const key = horizonKey(months);
      const bounds = forecast.intervals[key][score].map((interval) => [
        component(`lower-${Math.round(interval.level * 100)}`, `Lower bound, level ${interval.level}`, {
          valueQuantity: quantity(rounded(interval.lower, 2), 'score', '{score}'),
        }),
        component(`upper-${Math.round(interval.level * 100)}`, `Upper bound, level ${interval.level}`, {
          valueQuantity: quantity(rounded(interval.upper, 2), 'score', '{score}'),
        }),
      ]);
      return {
        resourceType: 'Observation',
        meta: aiMeta,
        identifier: [identifier(FHIR_URLS.identifiers.observation, `${forecast.forecast_id}/${score}/${months}`)],
        status: facts.withdrawn ? 'entered-in-error' : 'preliminary',
        category: [
          { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'survey' }] },
        ],
        code: concept(FHIR_URLS.scores, CODE[score], DISPLAY[score]),
        subject: { reference: facts.patientReference },
        // When the forecast was made, not the day it speaks of: a future date would read as a measurement to come.
        effectiveDateTime: forecast.prediction_timestamp,
        issued: forecast.prediction_timestamp,
        valueQuantity: quantity(rounded(forecast.predictions[key][score], 2), 'score', '{score}'),
        device: { reference: facts.deviceReference },
        derivedFrom: basisOf(facts),
        component: [
          component('horizon', 'Months after the index date', { valueQuantity: quantity(months, 'mo', 'mo') }),
          component('target-date', 'Day the prediction speaks of', {
            valueDateTime: monthsAfter(forecast.index_date, months),
          }),
          ...bounds.flat(),
          component('calibration-source', 'What the intervals were calibrated on', {
            valueString: forecast.calibration_source,
          }),
        ],
        note: [{ text: noticeOf(forecast) }],
      };
    }),
  );
}

export function riskAssessment(facts: ForecastFacts): RiskAssessment {
  const { forecast } = facts;
  return {
    resourceType: 'RiskAssessment',
    meta: aiMeta,
    identifier: [identifier(FHIR_URLS.identifiers.riskAssessment, forecast.forecast_id)],
    status: facts.withdrawn ? 'entered-in-error' : 'preliminary',
    subject: { reference: facts.patientReference },
    occurrenceDateTime: forecast.prediction_timestamp,
    performer: { reference: facts.deviceReference },
    method: { text: `Engram progression model ${forecast.model_version}` },
    basis: basisOf(facts),
    prediction: HORIZONS_MONTHS.map((months) => ({
      outcome: concept(FHIR_URLS.scores, 'cdr-global-ge-1', 'CDR global of 1 or more'),
      // FHIR R4 counts probabilities in percent.
      probabilityDecimal: rounded(forecast.probabilities[horizonKey(months)].cdr_global_ge_1 * 100, 2),
      whenPeriod: { start: forecast.index_date.slice(0, 10), end: monthsAfter(forecast.index_date, months) },
      rationale: `Cumulative to ${months} months after the index date`,
    })),
    note: [{ text: noticeOf(forecast) }],
  };
}

export function diagnosticReport(facts: ForecastFacts, results: readonly Reference[]): DiagnosticReport {
  const { forecast } = facts;
  return {
    resourceType: 'DiagnosticReport',
    meta: aiMeta,
    identifier: [identifier(FHIR_URLS.identifiers.report, forecast.forecast_id)],
    status: facts.withdrawn ? 'entered-in-error' : 'preliminary',
    code: concept(FHIR_URLS.scores, 'progression-forecast', 'Forecast of cognitive scores over five years'),
    subject: { reference: facts.patientReference },
    effectiveDateTime: forecast.prediction_timestamp,
    issued: forecast.prediction_timestamp,
    imagingStudy: facts.studyIds.map((id) => ({ reference: `ImagingStudy/${id}` })),
    result: [...results] as NonNullable<DiagnosticReport['result']>,
    conclusion: noticeOf(forecast),
  };
}
