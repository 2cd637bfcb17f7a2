/** `/runs`: what operators look at. The API for everybody else is results'. */
import { runStatus } from '@engram/contracts';
import { EngramError } from '@engram/errors';
import type { App } from '@engram/http';
import { z } from 'zod';
import type { Run } from '../run.ts';
import type { RunStore } from '../store.ts';

const listQuery = z.object({
  status: runStatus.optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(2000).optional(),
});
const byId = z.object({ id: z.string().min(1).max(80) });

/** Without the patient's FHIR id and without where images lie: an operator needs neither. */
function operatorView(run: Run) {
  const { patient_id: _id, patient_reference: _reference, inputs, traceparent: _trace, ...shown } = run;
  return {
    ...shown,
    inputs: inputs.map(({ role, study_id, study_version, reason, source }) => ({
      role,
      study_id,
      study_version,
      reason,
      source: source.kind,
    })),
  };
}

export function runRoutes(app: App, store: RunStore): void {
  app.get('/runs', { schema: { querystring: listQuery } }, async ({ query }) => {
    const { status, limit, cursor } = query;
    const page = await store.page({ limit, ...(status ? { status } : {}), ...(cursor ? { cursor } : {}) });
    return { runs: page.runs.map(operatorView), next: page.next };
  });

  app.get('/runs/:id', { schema: { params: byId } }, async ({ params }) => {
    const run = await store.read(params.id);
    if (!run) throw new EngramError('RUN_NOT_FOUND', 'there is no such run', { field: 'id' });
    return operatorView(run);
  });
}
