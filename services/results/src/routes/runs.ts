/** `/api/v1/runs`: ask for a run, look at it, cancel, retry, change its priority. */
import {
  cancelRequest,
  createRunRequest,
  createRunResponse,
  priorityRequest,
  runPage,
  runStatus,
  runView,
} from '@engram/contracts';
import { EngramError } from '@engram/errors';
import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { type CommandDeps, commandRun, requestRun } from '../commands.ts';
import { typicalSeconds } from '../decide.ts';
import { summaryOf, viewOf } from '../view.ts';

const byId = z.object({ id: z.string().min(1).max(80) });
const listQuery = z.object({
  status: runStatus.optional(),
  session_id: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().optional(),
});

export interface RunsDeps extends CommandDeps {
  /** A request id when the caller gives none: then every call is a new run. */
  readonly newRequestId: () => string;
}

export function runsRoutes(instance: FastifyInstance, deps: RunsDeps): void {
  const app = instance.withTypeProvider<ZodTypeProvider>();
  const typical = async (): Promise<number | null> => {
    const page = await deps.store.runs.find({
      where: { status: 'completed' },
      orderBy: [['updated_at', 'desc']],
      limit: 20,
    });
    return typicalSeconds(
      page.records.flatMap((record) => (record.value.seconds === null ? [] : [record.value.seconds])),
    );
  };

  app.post(
    '/api/v1/runs',
    { schema: { body: createRunRequest, response: { 202: createRunResponse } } },
    async (request, reply) => {
      const { request_id, ...body } = request.body;
      const run = await requestRun(deps, { ...body, request_id: request_id ?? deps.newRequestId() });
      return reply.code(202).send(summaryOf(run, await typical()));
    },
  );

  app.get(
    '/api/v1/runs',
    {
      schema: {
        querystring: listQuery,
        response: { 200: runPage },
      },
    },
    async (request) => {
      const { status, session_id, limit, cursor } = request.query;
      const page = await deps.store.runs.find({
        where: { ...(status ? { status } : {}), ...(session_id ? { session_id } : {}) },
        orderBy: [['created_at', 'desc']],
        limit,
        ...(cursor ? { cursor } : {}),
      });
      const seconds = await typical();
      return { runs: page.records.map((record) => viewOf(record.value, seconds)), next: page.next };
    },
  );

  app.get('/api/v1/runs/:id', { schema: { params: byId, response: { 200: runView } } }, async (request) => {
    const run = (await deps.store.runs.get(request.params.id))?.value;
    if (run === undefined) throw new EngramError('RUN_NOT_FOUND', 'there is no such run', { field: 'id' });
    return viewOf(run, await typical());
  });

  app.post(
    '/api/v1/runs/:id/cancel',
    { schema: { params: byId, body: cancelRequest, response: { 202: runView } } },
    async (request, reply) => {
      const run = await commandRun(deps, request.params.id, { name: 'cancel', reason: request.body.reason });
      return reply.code(202).send(viewOf(run, await typical()));
    },
  );

  app.post(
    '/api/v1/runs/:id/retry',
    { schema: { params: byId, response: { 202: runView } } },
    async (request, reply) => {
      const run = await commandRun(deps, request.params.id, { name: 'retry' });
      return reply.code(202).send(viewOf(run, await typical()));
    },
  );

  app.put(
    '/api/v1/runs/:id/priority',
    { schema: { params: byId, body: priorityRequest, response: { 202: runView } } },
    async (request, reply) => {
      const run = await commandRun(deps, request.params.id, { name: 'prioritise', priority: request.body.priority });
      return reply.code(202).send(viewOf(run, await typical()));
    },
  );
}
