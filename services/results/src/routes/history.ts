/** What is known of a study, and a patient's history: sessions, runs, feature sets, forecasts, reviews. */
import { RESEARCH_USE_ONLY } from '@engram/contracts';
import { EngramError } from '@engram/errors';
import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { ofPatient, type ResultsStore } from '../store.ts';
import { viewOf } from '../view.ts';

const byId = z.object({ id: z.string().min(1).max(128) });

export interface HistoryDeps {
  readonly store: ResultsStore;
  /** Pseudonym of a FHIR Patient id: the only form kept here. */
  readonly patientKeyOf: (patientId: string) => string;
}

export function historyRoutes(instance: FastifyInstance, { store, patientKeyOf }: HistoryDeps): void {
  const app = instance.withTypeProvider<ZodTypeProvider>();

  app.get('/api/v1/studies/:id', { schema: { params: byId } }, async (request) => {
    const study = (await store.studies.get(request.params.id))?.value;
    if (study === undefined) throw new EngramError('STUDY_NOT_FOUND', 'the study is not known', { field: 'id' });
    const runs =
      study.session_id === null
        ? []
        : (await store.runs.find({ where: { session_id: study.session_id }, orderBy: [['created_at', 'asc']] }))
            .records;
    const sets =
      study.session_id === null
        ? []
        : (await store.featureSets.find({ where: { session_id: study.session_id } })).records;
    return {
      ...study,
      runs: runs.map((record) => viewOf(record.value, null)),
      feature_sets: sets.map((record) => record.value),
    };
  });

  app.get('/api/v1/patients/:id/history', { schema: { params: byId } }, async (request) => {
    const key = patientKeyOf(request.params.id);
    const [studies, runs, featureSets, forecasts, reviews] = await Promise.all([
      ofPatient(store.studies, key, 'session_id'),
      ofPatient(store.runs, key, 'created_at'),
      ofPatient(store.featureSets, key, 'session_date'),
      ofPatient(store.forecasts, key, 'at'),
      ofPatient(store.reviews, key, 'at'),
    ]);
    if (studies.length + runs.length + forecasts.length === 0)
      throw new EngramError('PATIENT_NOT_FOUND', 'nothing is known of this patient', { field: 'id' });
    return {
      patient_id: request.params.id,
      studies,
      runs: runs.map((run) => viewOf(run, null)),
      feature_sets: featureSets,
      forecasts,
      reviews,
      disclaimer: RESEARCH_USE_ONLY,
    };
  });
}
