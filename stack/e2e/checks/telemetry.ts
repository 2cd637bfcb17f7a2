/** One trace through all five services in Zipkin; their metrics in Prometheus; nothing of the patient in either. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Outcome } from '../follow.ts';
import type { Report } from '../report.ts';
import { PATIENT_ID, STUDY_ID } from '../resources.ts';
import { SERVICES } from '../settings.ts';

interface ZipkinSpan {
  readonly id: string;
  readonly parentId?: string;
  readonly name: string;
  readonly kind?: string;
  readonly localEndpoint: { readonly serviceName: string };
  readonly tags?: Readonly<Record<string, string>>;
}

const IDENTIFYING = ['canarywoman', 'mrn-e2e-1', '1949-12-24', PATIENT_ID, STUDY_ID];

export async function checkTraces(report: Report, zipkin: string, { run }: Outcome): Promise<void> {
  const area = 'traces';
  let spans: readonly ZipkinSpan[] = [];
  const of = (service: string) => spans.filter(({ localEndpoint }) => localEndpoint.serviceName === service);
  await report.check(area, "the run's trace is in Zipkin and runs through all five services", async () => {
    // Spans leave a service in batches, every five seconds.
    for (let tries = 0; tries < 40; tries++) {
      spans = await traceOf(zipkin, run.trace_id ?? '');
      if (SERVICES.every((service) => of(service).length > 0) && of('results').length > 1) break;
      await sleep(500);
    }
    const counts = SERVICES.map((service) => `${service} ${of(service).length}`);
    for (const service of SERVICES) assert.ok(of(service).length > 0, counts.join(', '));
    return `${run.trace_id}: ${counts.join(', ')}`;
  });
  await report.check(area, 'it begins with the notification that HAPI delivered to ingestion', () => {
    const notified = of('ingestion').filter(({ kind, tags }) => kind === 'SERVER' && isNotification(tags));
    assert.ok(notified.length > 0, [...new Set(of('ingestion').map(({ name }) => name))].join(', '));
    return notified[0]?.name;
  });
  await report.check(area, 'every consumer of an event continues it', () => {
    const groups = spans.flatMap(({ tags }) => tags?.['messaging.consumer.group.name'] ?? []);
    const expected = SERVICES.filter((service) => service !== 'ingestion').map((service) => `engram.${service}`);
    assert.deepEqual([...new Set(groups)].sort(), expected.sort());
    return undefined;
  });
  await report.check(area, 'no span tells who the patient is', () => {
    const text = JSON.stringify(spans).toLowerCase();
    assert.deepEqual(
      IDENTIFYING.filter((word) => text.includes(word)),
      [],
    );
    return `${spans.length} spans`;
  });
}

const isNotification = (tags: ZipkinSpan['tags']): boolean => tags?.['http.route']?.includes('notifications') === true;

async function traceOf(zipkin: string, traceId: string): Promise<readonly ZipkinSpan[]> {
  const response = await fetch(`${zipkin}/api/v2/trace/${traceId}`);
  return response.status === 200 ? ((await response.json()) as ZipkinSpan[]) : [];
}

interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

export async function checkMetrics(report: Report, prometheus: string): Promise<void> {
  const area = 'metrics';
  const query = async (expression: string): Promise<readonly Sample[]> => {
    const response = await fetch(`${prometheus}/api/v1/query?query=${encodeURIComponent(expression)}`);
    assert.equal(response.status, 200, expression);
    return ((await response.json()) as { data: { result: readonly Sample[] } }).data.result;
  };
  await report.check(area, 'Prometheus scrapes all five services', async () => {
    const up = (await query('up{job="engram"} == 1')).map(({ metric }) => metric['service']);
    assert.deepEqual(up.sort(), [...SERVICES].sort());
    return undefined;
  });
  await report.check(area, 'the ended run is counted once', async () => {
    const ended = await query('sum by (service) (engram_runs_ended_total)');
    const counts = ended.map(({ metric, value }) => [metric['service'], Number(value[1])]);
    assert.deepEqual(counts, [['preprocessing', 1]]);
    return undefined;
  });
  await report.check(area, 'no label tells who the patient is', async () => {
    const all = JSON.stringify(await query('{job="engram"}')).toLowerCase();
    assert.deepEqual(
      IDENTIFYING.filter((word) => all.includes(word)),
      [],
    );
    return undefined;
  });
}
