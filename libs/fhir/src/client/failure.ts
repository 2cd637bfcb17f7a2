/** HTTP status and OperationOutcome → our codes. What a server says may quote a patient: only codes and places are kept. */
import { EngramError, type ErrorCode } from '@engram/errors';

const byStatus: Readonly<Record<number, ErrorCode>> = {
  400: 'FHIR_INVALID',
  401: 'FHIR_REFUSED',
  403: 'FHIR_REFUSED',
  404: 'FHIR_NOT_FOUND',
  408: 'UPSTREAM_FAILED',
  409: 'FHIR_CONFLICT',
  410: 'FHIR_GONE',
  412: 'FHIR_CONFLICT',
  422: 'FHIR_INVALID',
  423: 'FHIR_CONFLICT',
  429: 'UPSTREAM_FAILED',
};

interface Issue {
  readonly severity?: string;
  readonly code?: string;
  readonly expression?: readonly string[];
}

function issuesOf(body: string): readonly Issue[] {
  try {
    const outcome: unknown = JSON.parse(body);
    const issue = outcome !== null && typeof outcome === 'object' && 'issue' in outcome ? outcome.issue : undefined;
    return Array.isArray(issue) ? issue : [];
  } catch {
    return [];
  }
}

const ELEMENT = /^[A-Za-z0-9.[\]:()']{1,128}$/;
const ISSUE_CODE = /^[a-z-]{1,32}$/;

/** @param what method and resource type, such as `PUT ImagingStudy`. */
export function failureOf(status: number, body: string, what: string): EngramError {
  const code = byStatus[status] ?? (status >= 500 ? 'UPSTREAM_FAILED' : 'FHIR_INVALID');
  const issue = issuesOf(body).find(({ severity }) => severity === 'error' || severity === 'fatal');
  const field = issue?.expression?.find((expression) => ELEMENT.test(expression));
  const kind = issue?.code && ISSUE_CODE.test(issue.code) ? ` (${issue.code}${field ? ` at ${field}` : ''})` : '';
  return new EngramError(code, `the FHIR server answered ${status} to ${what}${kind}`, field ? { field } : {});
}
