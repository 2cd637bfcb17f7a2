import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ArtifactReference, artifactKey, type EngramEvent, type QcVerdict } from '@engram/contracts';
import { EngramError } from '@engram/errors';
import { startTelemetry } from '@engram/telemetry';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { commanded, requested, retracted, TIME } from './run.fixture.ts';
import type { Requested } from './run.ts';
import { failedTask, type PipelineJob, type PipelineRunner } from './runner.ts';
import { given, QUICK, type Serve, type Served, serveOn } from './service.fixture.ts';

let folder: string;
const open: Served[] = [];
const heard: EngramEvent[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'engram-work-'));
  heard.length = 0;
});
afterEach(async () => {
  for (const served of open.splice(0)) await served.close();
  rmSync(folder, { recursive: true, force: true });
});

async function serve(runner: PipelineRunner, more: Partial<Serve> = {}): Promise<Served> {
  const served = await serveOn({ folder, runner, ...more });
  open.push(served);
  writeFileSync(join(folder, 'data', 't1.nii'), 'scan');
  await served.bus.subscribe({
    group: 'engram.watcher',
    types: ['run.progressed.v1', 'run.completed.v1', 'run.failed.v1', 'run.cancelled.v1', 'review.requested.v1'],
    handler: async ({ event }) => void heard.push(event),
  });
  return served;
}

function ask(id: string, more: Partial<Requested> = {}, at = TIME) {
  const inputs = requested(id).data.inputs.map((input) => ({
    ...input,
    source: { kind: 'url' as const, url: `file://${join(folder, 'data', 't1.nii')}` },
  }));
  return requested(id, { inputs, ...more }, at);
}

async function outcomeOf(
  { workDir, run }: PipelineJob,
  verdict: QcVerdict = 'pass',
  document: object = { run: run.run_id },
) {
  const path = join(workDir, 'roi_features.json');
  const text = JSON.stringify(document);
  await writeFile(path, text);
  const sha256 = createHash('sha256').update(text).digest('hex');
  return {
    artifacts: [{ name: 'roi_features.json', path, sha256 }],
    verdict,
    reasons: verdict === 'pass' ? [] : ['fell back to affine'],
    durations: { total_s: 1 },
    snr: 20,
    registration: 'good',
  };
}

const told = (type: string, id?: string) =>
  heard.filter((event) => event.type === type && (id === undefined || event.subject === id));
const until = (check: () => void | Promise<void>) => vi.waitFor(check, { timeout: 20_000, interval: 10 });

test('a request is recorded, run and said to be completed, with its artifacts as objects', async () => {
  const { service, bus, objects } = await serve(async (job) => {
    job.onProgress({
      task: { name: 'n4', status: 'running', reused: false, seconds: 0 },
      fraction: 0.2,
      secondsLeft: 3,
    });
    job.onProgress({
      task: { name: 'n4', status: 'completed', reused: false, seconds: 1 },
      fraction: 1,
      secondsLeft: 0,
    });
    return outcomeOf(job);
  });
  await service.start();
  await bus.publish([ask('r-1')]);
  await until(() => expect(told('run.completed.v1')).toHaveLength(1));
  const data = told('run.completed.v1')[0]?.data;
  const key = artifactKey('r-1', createHash('sha256').update('{"run":"r-1"}').digest('hex'), 'roi_features.json');
  expect(data).toMatchObject({
    run_id: 'r-1',
    qc_verdict: 'pass',
    artifacts: [{ name: 'roi_features.json', key }],
    studies: [{ role: 't1', study_id: '17' }],
  });
  expect(String(await objects.get(key))).toBe('{"run":"r-1"}');
  const progress = told('run.progressed.v1').map((event) => event.data as { run_status: string; task: string | null });
  expect(progress.map(({ run_status, task }) => `${run_status}:${task}`)).toEqual([
    'created:null',
    'validating:null',
    'executing:null',
    'executing:n4',
    'executing:n4',
  ]);
  const versions = heard.map((event) => event.subjectversion);
  expect([...versions].sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6]);
  const answer = await service.app.inject('/runs/r-1');
  expect(answer.json()).toMatchObject({ run_id: 'r-1', status: 'completed', tasks: [{ name: 'n4' }] });
  expect(answer.body).not.toContain('Patient/');
  expect((await service.app.inject('/runs?status=completed')).json().runs).toHaveLength(1);
  expect((await service.app.inject('/runs/none')).statusCode).toBe(404);
  expect((await service.app.inject('/readyz')).json()).toMatchObject({ status: 'ready' });
});

test('a request that is delivered again runs once', async () => {
  let runs = 0;
  const { service, bus } = await serve(async (job) => {
    runs++;
    return outcomeOf(job);
  });
  await service.start();
  await bus.publish([ask('r-1'), ask('r-1')]);
  await until(() => expect(told('run.completed.v1')).toHaveLength(1));
  await bus.publish([ask('r-1')]);
  await until(async () => expect((await bus.lag('engram.preprocessing')).events).toBe(0));
  await sleep(100);
  expect(runs).toBe(1);
});

test('a worker that wakes after another has finished its run changes nothing that the run named', async () => {
  const woken = Promise.withResolvers<void>();
  const late = Promise.withResolvers<void>();
  const { service, bus, objects } = await serve(
    async (job) => {
      if (job.run.attempts > 1) return outcomeOf(job);
      await woken.promise;
      // The log of a run tells its times: no two attempts leave the same bytes.
      const outcome = await outcomeOf(job, 'pass', { run: job.run.run_id, attempt: 1 });
      late.resolve();
      return outcome;
    },
    { workers: 2, times: { ...QUICK, leaseMs: 100, heartbeatMs: 60_000 } },
  );
  await service.start();
  await bus.publish([ask('r-1')]);
  await until(() => expect(told('run.completed.v1')).toHaveLength(1));
  const end = told('run.completed.v1')[0]?.data as { artifacts: ArtifactReference[] } | undefined;
  const named = end?.artifacts[0];
  woken.resolve();
  await late.promise;
  await until(async () => expect((await objects.list('runs/r-1/')).objects).toHaveLength(2));
  expect((await objects.head(named?.key ?? ''))?.sha256).toBe(named?.sha256);
});

test('the urgent come first, then the oldest', async () => {
  const order: string[] = [];
  const { service, bus } = await serve(async (job) => {
    order.push(job.run.run_id);
    return outcomeOf(job);
  });
  const at = (seconds: number) => new Date(TIME.getTime() + seconds * 1000);
  // Recorded before any worker starts, so that the choice is among all of them.
  const { consume } = await import('./consume.ts');
  const { openRunStore } = await import('./store.ts');
  const { records, objects } = open[0] ?? {};
  if (!records || !objects) throw new Error('served');
  const deps = { store: openRunStore(records), objects, now: () => TIME, wake: () => {} };
  for (const [id, priority, seconds] of [
    ['r-late', 'normal', 9],
    ['r-low', 'low', 0],
    ['r-early', 'normal', 1],
    ['r-urgent', 'urgent', 10],
  ] as const) {
    await consume(deps, ask(id, { priority, session_id: `s-${id}` }, at(seconds)));
  }
  await consume(deps, commanded('r-low', 'c-1', { name: 'prioritise', priority: 'high' }));
  await service.start();
  await until(() => expect(order).toEqual(['r-urgent', 'r-low', 'r-early', 'r-late']));
  void bus;
});

test('cancel stops the work under way, says so once, and retry runs it again', async () => {
  const stopped: boolean[] = [];
  const entered = Promise.withResolvers<void>();
  const { service, bus } = await serve(async (job) => {
    if (stopped.length > 0) return outcomeOf(job);
    entered.resolve();
    await given(job.signal);
    stopped.push(job.signal.aborted);
    throw new Error('stopped in the middle');
  });
  await service.start();
  await bus.publish([ask('r-1')]);
  await entered.promise;
  await bus.publish([commanded('r-1', 'c-1', { name: 'cancel', reason: 'wrong patient' })]);
  await until(() => expect(stopped).toEqual([true]));
  await until(() => expect(told('run.cancelled.v1')).toHaveLength(1));
  expect(told('run.cancelled.v1')[0]?.data).toMatchObject({ reason: 'wrong patient' });
  await bus.publish([commanded('r-1', 'c-2', { name: 'retry' })]);
  await until(() => expect(told('run.completed.v1')).toHaveLength(1));
  expect(told('run.failed.v1')).toEqual([]);
});

test('a command that comes before its run waits for it', async () => {
  const { service, bus } = await serve(async (job) => outcomeOf(job));
  await service.start();
  await bus.publish([commanded('r-1', 'c-1', { name: 'cancel', reason: 'x' })]);
  await sleep(100);
  await until(async () => expect((await bus.lag('engram.preprocessing')).events).toBe(1));
  expect(await bus.deadLetters('engram.preprocessing')).toEqual([]);
});

test('a study withdrawn while its run works stops it; its raw images go', async () => {
  const { service, bus, objects } = await serve(async ({ signal }) => {
    await given(signal);
    throw new Error('stopped');
  });
  await objects.put('raw/abcdefghijklmnopqrstuvwxyz/1.2.840.1/s/1.dcm', Buffer.from('x'));
  await objects.put('raw/abcdefghijklmnopqrstuvwxyz/1.2.840.10/s/1.dcm', Buffer.from('x'));
  await service.start();
  await bus.publish([ask('r-1')]);
  await until(() => expect(told('run.progressed.v1').at(-1)?.data).toMatchObject({ run_status: 'executing' }));
  await bus.publish([retracted('17', new Date(TIME.getTime() + 1000))]);
  await until(() => expect(told('run.cancelled.v1')).toHaveLength(1));
  await until(async () =>
    expect((await objects.list('raw/')).objects.map((info) => info.key)).toEqual([
      'raw/abcdefghijklmnopqrstuvwxyz/1.2.840.10/s/1.dcm',
    ]),
  );
});

test('unreadable input fails at once, names its task and asks for a review', async () => {
  let tries = 0;
  const { service, bus } = await serve(async () => {
    tries++;
    const error = new EngramError('NIFTI_TRUNCATED', 't1.nii ends before its voxels do', { file: 't1.nii' });
    failedTask.set(error, 'import-t1');
    throw error;
  });
  await service.start();
  await bus.publish([ask('r-1')]);
  await until(() => expect(told('review.requested.v1')).toHaveLength(1));
  expect(told('run.failed.v1')[0]?.data).toMatchObject({
    task: 'import-t1',
    error: { code: 'NIFTI_TRUNCATED', retryable: false, attempts: 1 },
  });
  expect(tries).toBe(1);
});

test('an image from a place that is not allowed fails the run and is never fetched', async () => {
  const { service, bus } = await serve(async (job) => outcomeOf(job));
  await service.start();
  const [input] = ask('r-1').data.inputs;
  if (!input) throw new Error('the example has an input');
  await bus.publish([ask('r-1', { inputs: [{ ...input, source: { kind: 'url', url: 'file:///etc/passwd' } }] })]);
  await until(() => expect(told('run.failed.v1')).toHaveLength(1));
  expect(told('run.failed.v1')[0]?.data).toMatchObject({ error: { code: 'URL_REFUSED' } });
});

test('what may pass is tried again after its wait', async () => {
  let ahead = 0;
  let tries = 0;
  const now = () => new Date(Date.now() + ahead);
  const { service, bus } = await serve(
    async (job) => {
      tries++;
      if (tries === 1) throw new EngramError('UPSTREAM_FAILED', 'the PACS did not answer');
      return outcomeOf(job);
    },
    { now },
  );
  await service.start();
  await bus.publish([ask('r-1')]);
  await until(() => expect(tries).toBe(1));
  await sleep(150);
  expect(tries).toBe(1);
  ahead += 5_001;
  await until(() => expect(told('run.completed.v1')).toHaveLength(1));
  expect(tries).toBe(2);
});

test('a shutdown hands the run back, and the next process takes it without losing a try', async () => {
  const entered = Promise.withResolvers<void>();
  const first = await serve(async ({ signal }) => {
    entered.resolve();
    await given(signal);
    throw new Error('stopped');
  });
  await first.service.start();
  await first.bus.publish([ask('r-1')]);
  await entered.promise;
  await first.close();
  open.length = 0;
  let attempts = 0;
  const second = await serve(
    async (job) => {
      attempts = job.run.attempts;
      return outcomeOf(job);
    },
    { times: { ...QUICK, leaseMs: 60_000 } },
  );
  await second.service.start();
  await until(() => expect(told('run.completed.v1').length).toBeGreaterThan(0));
  expect(attempts).toBe(1);
});

test('the queue is counted while every worker is busy', async () => {
  const telemetry = await startTelemetry({ service: 'test', exporter: 'memory' });
  const entered = Promise.withResolvers<void>();
  const { service, bus } = await serve(async ({ signal }) => {
    entered.resolve();
    await given(signal);
    throw new Error('stopped');
  });
  await service.start();
  await bus.publish([ask('r-1')]);
  await entered.promise;
  await bus.publish([ask('r-2', { session_id: 's-2' }), ask('r-3', { session_id: 's-3' })]);
  await until(async () => expect(await telemetry.metricsText()).toMatch(/engram_runs_queued(\{[^}]*\})? 2\b/));
  await telemetry.shutdown();
});

test('a verdict below pass asks a person to look; every end and its quality are counted', async () => {
  const telemetry = await startTelemetry({ service: 'test', exporter: 'memory' });
  const { service, bus } = await serve(async (job) => outcomeOf(job, 'review'));
  await service.start();
  await bus.publish([ask('r-1')]);
  await until(() => expect(told('review.requested.v1')).toHaveLength(1));
  expect(told('review.requested.v1')[0]?.data).toMatchObject({ code: 'QC_REVIEW', reason: 'fell back to affine' });
  const counted = async (line: RegExp) =>
    until(async () => expect(line.test(await telemetry.metricsText()), String(line)).toBe(true));
  await counted(/engram_runs_ended_total\{engram_outcome="completed",engram_pipeline="adni"\} 1/);
  await counted(/engram_qc_verdict_total\{[^}]*engram_verdict="review"[^}]*\} 1/);
  await counted(/engram_qc_snr_sum\{[^}]*\} 20/);
  const traces = new Set(heard.map((event) => event.traceparent?.split('-')[1]));
  expect(traces.size).toBe(1);
  await telemetry.shutdown();
});
