/** The operator's commands, as processes beside a service that fails. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deadLettersReport, errorReport, events, makeEvent, reprocessReport } from '@engram/contracts';
import { EngramError } from '@engram/errors';
import { openAdapters } from '@engram/service';
import { silentLogger } from '@engram/telemetry';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';

const main = fileURLToPath(new URL('../main.ts', import.meta.url));
const TIMEOUT = { timeout: 60_000 };
let folder: string;
let env: Record<string, string>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'engram-operate-'));
  env = { ENGRAM_BUS_URL: `sqlite://${folder}/bus.db`, ENGRAM_RECORDS_URL: `sqlite://${folder}/records.db` };
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function engram(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [main, ...args],
      { env: { ...process.env, ...env }, cwd: folder },
      (error, stdout, stderr) => resolve({ code: error ? Number(error.code ?? 1) : 0, stdout, stderr }),
    );
  });
}

test('dead letters are listed, shown and handed back while the service goes on', async () => {
  const adapters = await openAdapters(
    {
      bus: env['ENGRAM_BUS_URL'] ?? '',
      records: env['ENGRAM_RECORDS_URL'] ?? '',
      objects: `file://${folder}/objects`,
      lifecycle: { taskResultsDays: 0, rawColdDays: 0 },
      peers: { ingestion: '', featureStore: 'http://127.0.0.1:7013', prediction: '' },
      siteSecret: 's'.repeat(32),
    },
    silentLogger,
  );
  const handled: string[] = [];
  let fails = true;
  await adapters.bus.subscribe({
    group: 'engram.results',
    types: [events.runRequested.type],
    async handler({ event }) {
      if (fails) throw new EngramError('FHIR_REFUSED', 'the token has run out');
      handled.push(event.id);
    },
  });
  const event = makeEvent(events.runRequested, {
    source: '/engram/ingestion',
    subject: 'r-1',
    subjectVersion: 1,
    patientKey: 'abcdefghijklmnopqrstuvwxyz',
    time: new Date(),
    data: events.runRequested.example,
  });
  await adapters.bus.publish([event]);
  await vi.waitFor(async () => expect(await adapters.bus.deadLetters('engram.results')).toHaveLength(1), TIMEOUT);
  fails = false;

  const listed = await engram('dead-letters', 'list', '--json');
  expect(deadLettersReport.parse(JSON.parse(listed.stdout)).dead_letters).toMatchObject([
    { service: 'results', event_id: event.id, cause: { code: 'FHIR_REFUSED' } },
  ]);
  const shown = await engram('dead-letters', 'show', event.id);
  expect(JSON.parse(shown.stdout)).toMatchObject({ event: { id: event.id, data: { run_id: event.data.run_id } } });
  const unsaid = await engram('dead-letters', 'redrive', '--json');
  expect([unsaid.code, errorReport.parse(JSON.parse(unsaid.stdout)).error.code]).toEqual([1, 'REQUEST_INVALID']);
  expect(JSON.parse((await engram('dead-letters', 'redrive', event.id, '--json')).stdout)).toEqual({ redriven: 1 });
  await vi.waitFor(() => expect(handled).toEqual([event.id]), TIMEOUT);
  const replayed = await engram('replay', 'results', '--since', '2020-01-01T00:00:00Z', '--json');
  expect(JSON.parse(replayed.stdout)).toMatchObject({ service: 'results', forgotten: 0 });
  await vi.waitFor(() => expect(handled).toEqual([event.id, event.id]), TIMEOUT);
  await adapters.close();
}, 180_000);

test('reprocess asks for every session once, and a study that cannot be run keeps no other from it', async () => {
  const asked: { study_id: string; request_id: string; priority: string }[] = [];
  const view = (study_id: string, session_id: string) => ({
    id: `r-${study_id}`,
    study_id,
    study_uid: '1.2',
    pipeline: 'adni',
    status: 'completed',
    created_at: '',
    estimated_completion: null,
    session_id,
    session_date: '2024-01-15',
    priority: 'normal',
    fraction: 1,
    seconds_left: null,
    tasks: [],
    qc_verdict: null,
    error: null,
    trace_id: null,
    updated_at: '',
  });
  const server = createServer(async (request, response) => {
    const send = (status: number, body: unknown) => response.writeHead(status).end(JSON.stringify(body));
    if (request.method === 'GET') {
      const isFirst = !request.url?.includes('cursor=');
      const runs = isFirst ? [view('17', 's-1'), view('18', 's-2')] : [view('17', 's-1'), view('19', 's-3')];
      return send(200, { runs, next: isFirst ? 'more' : null });
    }
    const body = JSON.parse(Buffer.concat(await request.toArray()).toString());
    asked.push(body);
    if (body.study_id === '18') {
      return send(422, { type: 'about:blank', title: 'no', status: 422, code: 'STUDY_NOT_RUNNABLE', detail: 'no T1' });
    }
    return send(202, view(body.study_id, 's'));
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { stdout, stderr } = await engram('reprocess', '--all', '--url', url, '--request-id', 'again', '--json');
  const report = reprocessReport.parse(JSON.parse(stdout));
  expect(report.runs.map(({ run_id }) => run_id)).toEqual(['r-17', 'r-19']);
  expect(report.refused).toMatchObject([{ study_id: '18', code: 'STUDY_NOT_RUNNABLE' }]);
  expect(stderr).toContain('18: no T1 (STUDY_NOT_RUNNABLE)');
  expect(asked).toMatchObject(
    ['17', '18', '19'].map((study_id) => ({ study_id, request_id: 'again', priority: 'low' })),
  );
  server.close();
}, 120_000);
