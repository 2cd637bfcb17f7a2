/** Alerts and dashboards may name only what the code measures: a metric renamed in the code fails here, not in the night. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { count, gauge, METRICS, type MetricName, observe, startTelemetry } from '@engram/telemetry';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { alerts, namesIn, panelQueries } from './queries.ts';

const root = join(import.meta.dirname, '..', '..');
const queries = [...alerts(), ...panelQueries()];

/** Made by Prometheus itself, by the scrape configuration and by histograms. */
const OF_PROMETHEUS = { metrics: ['up'], labels: ['job', 'instance', 'le'] };

/** Prometheus's name of an OpenTelemetry attribute. */
const labelOf = (attribute: string): string => attribute.replaceAll(/[^a-zA-Z0-9_]/g, '_');

const sources = execFileSync('git', ['ls-files', 'libs', 'services'], { cwd: root, encoding: 'utf8' })
  .split('\n')
  .filter((file) => /\.ts$/.test(file) && !/(\.test|\.fixture|\.bench|conformance)\.ts$/.test(file))
  .map((file) => join(root, file))
  .filter((file) => existsSync(file))
  .map((file) => readFileSync(file, 'utf8'));

/** The row of METRICS that a series of our exporter belongs to, asked of the exporter itself. */
const rowOf = new Map<string, MetricName>();

const record: Readonly<Record<(typeof METRICS)[MetricName]['kind'], (name: MetricName) => void>> = {
  counter: (name) => count(name as 'engram.runs.ended'),
  gauge: (name) => gauge(name as 'engram.bus.lag', 1),
  histogram: (name) => observe(name as 'engram.run.duration', 1),
};

/** Names of the series in a text of metrics, without their labels and values. */
const seriesOf = (text: string): string[] =>
  text.split('\n').flatMap((line) => /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{| )/.exec(line)?.[1] ?? []);

beforeAll(async () => {
  const telemetry = await startTelemetry({ service: 'deploy' });
  afterAll(() => telemetry.shutdown());
  for (const name of Object.keys(METRICS) as MetricName[]) {
    record[METRICS[name].kind](name);
    for (const series of seriesOf(await telemetry.metricsText())) if (!rowOf.has(series)) rowOf.set(series, name);
  }
});

describe('alerts and dashboards', () => {
  test('there are some, and each query is PromQL that names a metric', () => {
    expect(alerts().length).toBeGreaterThan(0);
    expect(panelQueries().length).toBeGreaterThan(0);
    for (const query of queries) expect(namesIn(query).metrics, query.from).not.toEqual([]);
  });

  test('of each alert the rules’ own tests show a case in which it speaks', () => {
    const cases = readFileSync(join(import.meta.dirname, 'rules', 'engram.test.yml'), 'utf8');
    const speaking = [...cases.matchAll(/alertname: (\w+)\n\s+exp_alerts:\n\s+- exp_labels/g)].map((match) => match[1]);
    expect(alerts().filter(({ from }) => !speaking.includes(from))).toEqual([]);
  });

  test('every metric is one that our exporter gives out', () => {
    const known = new Set([...rowOf.keys(), ...OF_PROMETHEUS.metrics]);
    const unknown = queries.flatMap((query) =>
      namesIn(query).metrics.flatMap((name) => (known.has(name) ? [] : [`${query.from}: ${name}`])),
    );
    expect(unknown).toEqual([]);
  });

  test('every metric is recorded somewhere in the libraries and services', () => {
    const used = new Set(queries.flatMap((query) => namesIn(query).metrics.flatMap((name) => rowOf.get(name) ?? [])));
    const recorded = (name: string): boolean =>
      sources.some((text) =>
        new RegExp(`\\b(?:count|gauge|observe)\\(\\s*'${name.replaceAll('.', '\\.')}'`).test(text),
      );
    expect(used.size).toBeGreaterThan(0);
    expect([...used].filter((name) => !recorded(name))).toEqual([]);
  });

  test('every label is an attribute that the code gives, or Prometheus’s own', () => {
    const attributes = sources.flatMap((text) =>
      [...text.matchAll(/'([a-z]+(?:\.[a-z_]+)+)'\s*:/g)].map((match) => match[1] ?? ''),
    );
    const known = new Set([...attributes.map(labelOf), ...OF_PROMETHEUS.labels]);
    const unknown = queries.flatMap((query) =>
      namesIn(query).labels.flatMap((name) => (known.has(name) ? [] : [`${query.from}: ${name}`])),
    );
    expect(unknown).toEqual([]);
  });

  test('the five figures of the platform are shown', () => {
    const shown = new Set(
      panelQueries().flatMap((query) => namesIn(query).metrics.flatMap((name) => rowOf.get(name) ?? [])),
    );
    const figures: MetricName[] = [
      'engram.runs.queued',
      'engram.run.duration',
      'engram.runs.ended',
      'engram.objects.stored',
      'engram.qc.verdict',
    ];
    expect(figures.filter((name) => !shown.has(name))).toEqual([]);
  });

  test('every alert has a page to read, and every page an alert', () => {
    const [path] = alerts()[0]?.runbook.split('#') ?? [];
    const headings = [...readFileSync(join(root, path ?? ''), 'utf8').matchAll(/^## (Engram\w+)$/gm)].map(
      (match) => match[1],
    );
    expect(
      alerts()
        .map(({ from }) => from)
        .sort(),
    ).toEqual(headings.sort());
    for (const { from, runbook } of alerts()) expect(runbook).toBe(`${path}#${from.toLowerCase()}`);
  });

  test('a name that the grammar does not know is refused', () => {
    expect(() => namesIn({ from: 'test', expression: 'sum(rate(a[5m]' })).toThrow(/not PromQL/);
    expect(namesIn({ from: 'test', expression: 'sum by (x) (rate(a{y="z"}[5m])) / on (w) b' })).toEqual({
      metrics: ['a', 'b'],
      labels: ['x', 'y', 'w'],
    });
  });
});
