import { EngramError } from '@engram/errors';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { count, gauge, METRICS, observe } from './meters.ts';
import { traceId, traceIdOf, traceparent, withoutTrace, withSpan, withTraceparent } from './spans.ts';
import { metricsText, startTelemetry, type Telemetry } from './start.ts';

const PARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

describe('with a memory exporter', () => {
  let telemetry: Telemetry;
  beforeEach(async () => {
    telemetry = await startTelemetry({ service: 'test', exporter: 'memory' });
  });
  afterEach(() => telemetry.shutdown());

  test('a traceparent handed over continues its trace, below the span it names', async () => {
    await withTraceparent(PARENT, () => withSpan('child', { 'engram.pipeline': 'adni' }, async () => {}));
    const [span] = telemetry.spans();
    expect(span?.spanContext().traceId).toBe(traceIdOf(PARENT));
    expect(span?.parentSpanContext?.spanId).toBe('b7ad6b7169203331');
    expect(span?.attributes).toEqual({ 'engram.pipeline': 'adni' });
    expect(span?.resource.attributes['service.name']).toBe('test');
  });

  test('the traceparent of the span under way is the W3C form of it', async () => {
    await withSpan('a', {}, async () => {
      expect(traceparent()).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
      expect(traceIdOf(traceparent())).toBe(traceId());
    });
    expect(traceparent()).toBeUndefined();
  });

  test('spans inside one another are one trace; outside it starts another', async () => {
    await withSpan('outer', {}, async () => {
      await withSpan('inner', {}, async () => {});
      await withoutTrace(() => withSpan('apart', {}, async () => {}));
    });
    const [inner, apart, outer] = telemetry.spans();
    expect(inner?.spanContext().traceId).toBe(outer?.spanContext().traceId);
    expect(apart?.spanContext().traceId).not.toBe(outer?.spanContext().traceId);
  });

  test('a malformed traceparent starts a new trace and breaks nothing', async () => {
    await withTraceparent('not a traceparent', () => withSpan('a', {}, async () => {}));
    expect(telemetry.spans()).toHaveLength(1);
    expect(traceIdOf('not a traceparent')).toBeUndefined();
  });

  test('a failure marks its span by code, passes on, and its message stays out', async () => {
    const failing = withSpan('a', {}, async () => {
      throw new EngramError('NIFTI_INVALID', 'CANARY-NAME is broken');
    });
    await expect(failing).rejects.toMatchObject({ code: 'NIFTI_INVALID' });
    const [span] = telemetry.spans();
    expect(span?.attributes).toEqual({ 'error.type': 'NIFTI_INVALID' });
    expect(JSON.stringify([span?.status, span?.attributes, span?.events])).not.toContain('CANARY');
  });

  test('the five figures are in the Prometheus text under their names and units', async () => {
    gauge('engram.runs.queued', 3);
    observe('engram.run.duration', 42, { 'engram.pipeline': 'adni' });
    count('engram.runs.ended', { 'engram.outcome': 'completed' }, 2);
    count('engram.runs.ended', { 'engram.outcome': 'failed' });
    gauge('engram.objects.stored', 1024, { 'engram.tier': 'raw' });
    observe('engram.qc.snr', 25);
    count('engram.qc.verdict', { 'engram.verdict': 'pass' });
    count('engram.qc.registration', { 'engram.quality': 'good' });
    const text = await metricsText();
    expect(text).toMatch(/^engram_runs_queued 3$/m);
    expect(text).toMatch(/^engram_run_duration_sum\{engram_pipeline="adni"\} 42$/m);
    expect(text).toMatch(/^engram_runs_ended_total\{engram_outcome="completed"\} 2$/m);
    expect(text).toMatch(/^engram_runs_ended_total\{engram_outcome="failed"\} 1$/m);
    expect(text).toMatch(/^engram_objects_stored\{engram_tier="raw"\} 1024$/m);
    expect(text).toMatch(/^engram_qc_snr_bucket\{le="25"\} 1$/m);
    expect(text).toMatch(/^engram_qc_verdict_total\{engram_verdict="pass"\} 1$/m);
    expect(text).toMatch(/^engram_qc_registration_total\{engram_quality="good"\} 1$/m);
  });

  test('messaging metrics bear the names of the semantic conventions', async () => {
    const conventional = Object.keys(METRICS).filter((name) => name.startsWith('messaging.'));
    expect(conventional.sort()).toEqual([
      'messaging.client.consumed.messages',
      'messaging.client.operation.duration',
      'messaging.client.sent.messages',
      'messaging.process.duration',
    ]);
  });
});

test('without an exporter there are trace ids and metrics all the same, and nothing is kept', async () => {
  const telemetry = await startTelemetry({ service: 'test' });
  await withSpan('a', {}, async () => expect(traceId()).toMatch(/^[0-9a-f]{32}$/));
  gauge('engram.runs.queued', 1);
  expect(await telemetry.metricsText()).toContain('engram_runs_queued 1');
  expect(telemetry.spans()).toEqual([]);
  await telemetry.shutdown();
});

test('before any start and after a shutdown everything does nothing, and says so', async () => {
  expect(await metricsText()).toContain('not started');
  expect(await withSpan('a', {}, async () => traceId())).toBeUndefined();
  expect(traceparent()).toBeUndefined();
  count('engram.runs.ended');
  const telemetry = await startTelemetry({ service: 'test' });
  await telemetry.shutdown();
  expect(await metricsText()).toContain('not started');
});

test('otlp without an endpoint is refused', async () => {
  await expect(startTelemetry({ service: 'test', exporter: 'otlp' })).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    field: 'ENGRAM_OTLP_URL',
  });
});
