/** `engram reprocess`: asks the results service for runs of studies again. What has a result is not done again. */
import { randomUUID } from 'node:crypto';
import { createRunResponse, problem, type ReprocessReport, type RunPage, runPage } from '@engram/contracts';
import { catalogue, EngramError, type ErrorCode } from '@engram/errors';
import type { Command } from 'commander';
import { speak } from '../output.ts';

interface Options {
  readonly all?: boolean;
  readonly pipeline: string;
  readonly priority: string;
  readonly requestId?: string;
  readonly url: string;
  readonly token?: string;
  readonly json?: boolean;
}

const TIMEOUT_MS = 60_000;

/** @throws UPSTREAM_FAILED when nothing answers there; the service's own code when it refuses. */
async function ask<T>(
  answerOf: { parse(value: unknown): T },
  { url, token }: Options,
  path: string,
  body?: object,
): Promise<T> {
  const response = await fetch(`${url.replace(/\/+$/, '')}${path}`, {
    ...(body ? { method: 'POST', body: JSON.stringify(body) } : {}),
    headers: { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).catch((cause: unknown) => {
    throw new EngramError('UPSTREAM_FAILED', `nothing answers at ${url}: start it with "engram start"`, { cause });
  });
  const answer: unknown = await response.json();
  if (response.ok) return answerOf.parse(answer);
  const refusal = problem.safeParse(answer);
  const code = refusal.success && refusal.data.code in catalogue ? (refusal.data.code as ErrorCode) : 'UPSTREAM_FAILED';
  throw new EngramError(code, refusal.data?.detail ?? `the results service answered ${response.status}`);
}

/** A study of every session that has a run. */
async function everyStudy(options: Options): Promise<readonly string[]> {
  const studies = new Map<string, string>();
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page: RunPage = await ask(
      runPage,
      options,
      `/api/v1/runs?limit=200${cursor && `&cursor=${encodeURIComponent(cursor)}`}`,
    );
    for (const run of page.runs) studies.set(run.session_id, run.study_id);
    cursor = page.next;
  }
  return [...studies.values()];
}

async function reprocess(given: readonly string[], options: Options): Promise<ReprocessReport> {
  const studies = options.all ? await everyStudy(options) : given;
  if (studies.length === 0 && !options.all) {
    throw new EngramError('REQUEST_INVALID', 'name the studies, or say --all', { field: 'studies' });
  }
  const { pipeline, priority, requestId = randomUUID() } = options;
  const report: { runs: ReprocessReport['runs']; refused: ReprocessReport['refused'] } = { runs: [], refused: [] };
  for (const study_id of studies) {
    try {
      const body = { study_id, pipeline, priority, request_id: requestId };
      const { id } = await ask(createRunResponse, options, '/api/v1/runs', body);
      report.runs.push({ study_id, run_id: id });
      if (!options.json) process.stdout.write(`${study_id}  ${id}\n`);
    } catch (error) {
      // One study that cannot be run must not keep the others from it.
      if (!(error instanceof EngramError) || error.code === 'UPSTREAM_FAILED') throw error;
      report.refused.push({ study_id, code: error.code, message: error.message });
      process.stderr.write(`${study_id}: ${error.message} (${error.code})\n`);
    }
  }
  return { request_id: requestId, ...report };
}

export function reprocessCommand(program: Command): void {
  program
    .command('reprocess')
    .description('runs studies again: only what has no result of this version is computed')
    .argument('[studies...]', 'FHIR ImagingStudy ids')
    .option('--all', 'every session that was ever run')
    .option('--pipeline <name>', 'pipeline', 'adni')
    .option('--priority <level>', 'low, normal, high or urgent', 'low')
    .option('--request-id <id>', 'with the same id a second call asks for nothing new')
    .option('--url <url>', 'base URL of the results service', 'http://127.0.0.1:7015')
    .option('--token <token>', 'bearer token', process.env['ENGRAM_TOKEN'])
    .option('--json', 'print one JSON object')
    .action((studies: readonly string[], options: Options) => speak(options, () => reprocess(studies, options)));
}
