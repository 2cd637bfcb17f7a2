/** Any thrown thing → RFC 9457 problem details. The one place where an error code becomes an HTTP status. */
import type { Problem } from '@engram/contracts';
import { catalogue, EngramError } from '@engram/errors';
import { traceId, traceIdOf } from '@engram/telemetry';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';

const ERRORS_PAGE = 'https://engram.dev/docs/errors.md';

export const PROBLEM_TYPE = 'application/problem+json';

/** One entry of what Fastify's validators report, ajv's or zod's. */
interface Violation {
  readonly instancePath?: string;
  readonly message?: string;
}

/** `/inputs/0/role` → `inputs.0.role`. */
const fieldOf = (violation: Violation | undefined): string | undefined =>
  violation?.instancePath?.replace(/^\//, '').replaceAll('/', '.') || undefined;

/** Fastify's own errors carry a status; what they say is about the request, never about us. */
function isFastifyError(error: unknown): error is FastifyError {
  return error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number';
}

interface Refusal {
  readonly error: EngramError;
  readonly status: number;
}

function refusalOf(thrown: unknown): Refusal {
  if (thrown instanceof EngramError) return { error: thrown, status: catalogue[thrown.code].status };
  if (isFastifyError(thrown) && thrown.validation) {
    const field = fieldOf(thrown.validation[0]);
    const place = [thrown.validationContext, field].filter(Boolean).join('.');
    const message = `${place || 'the request'}: ${thrown.validation[0]?.message ?? 'does not fit the schema'}`;
    return { error: new EngramError('REQUEST_INVALID', message, field ? { field } : {}), status: 400 };
  }
  if (isFastifyError(thrown) && (thrown.statusCode ?? 500) < 500) {
    return { error: new EngramError('REQUEST_INVALID', thrown.message, { cause: thrown }), status: thrown.statusCode! };
  }
  // What an unforeseen error says may quote a file or a patient: it stays in this process.
  const error = new EngramError('INTERNAL', 'unexpected error; the trace id finds it in the log', { cause: thrown });
  return { error, status: 500 };
}

/** @param trace 32 hex digits, absent when the request is not traced. */
export function problemOf(thrown: unknown, trace?: string): Problem {
  const { error, status } = refusalOf(thrown);
  return {
    type: `${ERRORS_PAGE}#${error.code.toLowerCase()}`,
    title: catalogue[error.code].title,
    status,
    detail: error.message,
    code: error.code,
    ...(error.field === undefined ? {} : { field: error.field }),
    ...(trace === undefined ? {} : { trace_id: trace }),
  };
}

/** The trace of a request, also before its span has begun. */
export function traceOf(request: FastifyRequest): string | undefined {
  const header = request.headers['traceparent'];
  return traceId() ?? traceIdOf(typeof header === 'string' ? header : undefined);
}

export function sendProblem(request: FastifyRequest, reply: FastifyReply, thrown: unknown): FastifyReply {
  const problem = problemOf(thrown, traceOf(request));
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer');
  // Serialised here: a route's response schema describes its success, not this.
  return reply.code(problem.status).type(PROBLEM_TYPE).serializer(JSON.stringify).send(problem);
}
