/**
 * OpenAPI 3.1 of the HTTP interface that others build on. Each service also serves its own full document at
 * `/openapi.json`; this one holds what is promised across versions.
 */
import { z } from 'zod';
import { forecast, predictRequest } from './forecast.ts';
import { problem } from './problem.ts';
import { cancelRequest, createRunRequest, createRunResponse, priorityRequest, runPage, runView } from './runs.ts';

const schema = (type: z.ZodType, io: 'input' | 'output') => z.toJSONSchema(type, { target: 'draft-2020-12', io });
const json = (type: z.ZodType, io: 'input' | 'output' = 'output') => ({
  'application/json': { schema: schema(type, io) },
});
const body = (type: z.ZodType) => ({ required: true, content: json(type, 'input') });
const answer = (description: string, type: z.ZodType) => ({ description, content: json(type) });
const refusal = (description: string) => ({
  description,
  content: { 'application/problem+json': { schema: schema(problem, 'output') } },
});
const runId = { name: 'id', in: 'path', required: true, schema: { type: 'string' } };

export function openapi(): unknown {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Engram',
      version: '1.0.0',
      description:
        'Research use only; not a medical device. Errors are application/problem+json with a code of docs/errors.md.',
    },
    paths: {
      '/api/v1/adni/predict-progression': {
        post: {
          operationId: 'predictProgression',
          summary: 'The forecast of a patient from stored features and measured scores (prediction service)',
          requestBody: body(predictRequest),
          responses: {
            200: answer('The forecast', forecast),
            404: refusal('The patient is not known'),
            409: refusal('The features are still being made'),
            422: refusal('A forecast cannot be supported, with the reason'),
          },
        },
      },
      '/api/v1/runs': {
        post: {
          operationId: 'createRun',
          summary: 'Asks for a run of a pipeline on a study (results service)',
          requestBody: body(createRunRequest),
          responses: {
            202: answer('Requested', createRunResponse),
            404: refusal('The study is not known'),
            422: refusal('The study cannot be run'),
          },
        },
        get: {
          operationId: 'listRuns',
          summary: 'Runs, newest first',
          responses: {
            200: answer('A page of runs', runPage),
          },
        },
      },
      '/api/v1/runs/{id}': {
        get: {
          operationId: 'readRun',
          summary: 'One run with its tasks, fraction done and seconds left',
          parameters: [runId],
          responses: { 200: answer('The run', runView), 404: refusal('There is no such run') },
        },
      },
      '/api/v1/runs/{id}/cancel': {
        post: {
          operationId: 'cancelRun',
          summary: 'Cancels a run; second time does no harm',
          parameters: [runId],
          requestBody: body(cancelRequest),
          responses: {
            202: answer('Commanded', runView),
            404: refusal('There is no such run'),
            409: refusal('The run has ended'),
          },
        },
      },
      '/api/v1/runs/{id}/retry': {
        post: {
          operationId: 'retryRun',
          summary: 'Starts a failed or cancelled run again; finished tasks are not repeated',
          parameters: [runId],
          responses: {
            202: answer('Commanded', runView),
            404: refusal('There is no such run'),
            409: refusal('The run is not failed or cancelled'),
          },
        },
      },
      '/api/v1/runs/{id}/priority': {
        put: {
          operationId: 'prioritiseRun',
          summary: 'Changes the priority of a run',
          parameters: [runId],
          requestBody: body(priorityRequest),
          responses: {
            202: answer('Commanded', runView),
            404: refusal('There is no such run'),
            409: refusal('The run has ended'),
          },
        },
      },
    },
  };
}
