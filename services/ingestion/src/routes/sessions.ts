/** Sessions and studies as they stand: what results reads when a run is asked for by API. */
import { sessionView } from '@engram/contracts';
import { EngramError } from '@engram/errors';
import type { App } from '@engram/http';
import { z } from 'zod';
import type { IngestionStore } from '../store.ts';

const params = z.object({ id: z.string().min(1).max(128) });

const studyView = z.object({
  study_id: z.string(),
  study_uid: z.string(),
  study_version: z.string(),
  version: z.int(),
  patient_key: z.string(),
  session_id: z.string().nullable(),
  session_date: z.string().nullable(),
  state: z.enum(['ready', 'waiting', 'unusable', 'retracted']),
  series: z.array(
    z.object({
      series_uid: z.string(),
      modality: z.string(),
      instances: z.int(),
      role: z.enum(['t1', 'pet', 'none']),
      reason: z.string(),
    }),
  ),
  awaiting: z.array(z.object({ what: z.enum(['instances', 'quiet', 't1', 'pet']), why: z.string() })),
  problem: z.object({ code: z.string(), reason: z.string() }).nullable(),
  retracted: z.string().nullable(),
});

export function addSessionRoutes(app: App, store: IngestionStore): void {
  app.get(
    '/api/v1/sessions/:id',
    { schema: { params, response: { 200: sessionView } } },
    async ({ params: { id } }) => {
      const session = (await store.sessions.get(id))?.value;
      if (!session) throw new EngramError('SESSION_NOT_FOUND', 'there is no such session', { field: 'id' });
      return { ...session, inputs: [...session.inputs], awaiting: [...session.awaiting] };
    },
  );

  app.get('/api/v1/studies/:id', { schema: { params, response: { 200: studyView } } }, async ({ params: { id } }) => {
    const study = (await store.studies.get(id))?.value;
    if (!study) throw new EngramError('STUDY_NOT_FOUND', 'there is no such study', { field: 'id' });
    return { ...study, series: [...study.series], awaiting: [...study.awaiting] };
  });
}
