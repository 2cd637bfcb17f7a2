/**
 * The words of Engram, defined once (see docs/glossary.md). No synonym is used after this file.
 *
 * - study: a FHIR ImagingStudy / DICOM study.
 * - session: one patient's imaging visit; may need several studies (T1 and PET days apart).
 * - pipeline: a declared graph of tasks. run: one execution of a pipeline. task: one node of a run.
 * - artifact: an object a task made, known by its sha256.
 * - feature set: the versioned ROI numbers of one session.
 * - forecast: predicted scores at 6, 12, … 60 months with intervals.
 * - review: a flag for a human, with its reason.
 */
import { z } from 'zod';

export const pipelineName = z.enum(['adni', 'wmh', 'cmb', 'dwi', 'synthseg']);
export type PipelineName = z.infer<typeof pipelineName>;

export const runStatus = z.enum(['created', 'validating', 'executing', 'completed', 'failed', 'cancelled']);
export type RunStatus = z.infer<typeof runStatus>;

export const taskStatus = z.enum(['pending', 'running', 'completed', 'failed', 'cancelled', 'skipped']);
export type TaskStatus = z.infer<typeof taskStatus>;

/** Lowest first: a larger index is claimed earlier. */
export const PRIORITIES = ['low', 'normal', 'high', 'urgent'] as const;
export const priority = z.enum(PRIORITIES);
export type Priority = z.infer<typeof priority>;

export const qcVerdict = z.enum(['pass', 'review', 'fail']);
export type QcVerdict = z.infer<typeof qcVerdict>;

export const SCORES = ['mmse', 'cdr_global', 'cdr_sob', 'adas_cog'] as const;
export const score = z.enum(SCORES);
export type Score = z.infer<typeof score>;

/** Months from the index date, in order. */
export const HORIZONS_MONTHS = [6, 12, 18, 24, 30, 36, 42, 48, 54, 60] as const;
export type HorizonMonths = (typeof HORIZONS_MONTHS)[number];

/** `6_months`, `12_months`, …: the keys of a forecast's predictions. */
export type HorizonKey = `${HorizonMonths}_months`;
export const horizonKey = (months: HorizonMonths): HorizonKey => `${months}_months`;

/** First 26 characters of lower-case base32 of HMAC-SHA256(site secret, FHIR base | Patient id). */
export const patientKey = z.string().regex(/^[a-z2-7]{26}$/);
export type PatientKey = z.infer<typeof patientKey>;

export const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** `YYYY-MM-DD`, or `YYYY-MM-DD_2` for the second session of one day. */
export const sessionDate = z.string().regex(/^\d{4}-\d{2}-\d{2}(_\d+)?$/);

/** Grows with every change of a session: of two runs of a session, the one of the later version came later. */
export const sessionVersion = z
  .int()
  .min(1)
  .optional()
  .describe('version of the session that the run was asked for of');

export const RESEARCH_USE_ONLY =
  'Research use only. Not a medical device; not cleared or approved by any regulator. Not for diagnosis, prognosis, ' +
  'treatment, trial eligibility, driving, insurance or employment decisions about any person.';

export const SIMULATED_WEIGHTS =
  'The default weights were trained on a SIMULATED cohort built from published summary statistics; they have not been ' +
  'validated on patients. Intervals are calibrated only on that simulation. Retrain, recalibrate and validate locally ' +
  'under ethics approval.';
