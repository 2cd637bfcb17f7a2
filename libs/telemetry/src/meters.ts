/**
 * Instruments by name, made on first use: the OpenTelemetry API hands out dead instruments until a provider is there,
 * so nothing may be created while modules load.
 *
 * Names: messaging ones after the semantic conventions (opentelemetry.io/docs/specs/semconv/messaging), ours below
 * `engram.`. Attributes stay low in cardinality: no patient, run, study or message key.
 */
import {
  type Attributes,
  type Counter,
  type Gauge,
  type Histogram,
  type MeterProvider,
  metrics,
} from '@opentelemetry/api';

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
const RUN_SECONDS = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800];
const SNR = [2, 4, 6, 8, 10, 12, 15, 20, 25, 30, 40, 60];

interface Definition {
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly unit: string;
  readonly description: string;
  readonly buckets?: readonly number[];
}

/** Every metric of Engram. The dashboards are tested against this table. */
export const METRICS = {
  'messaging.client.sent.messages': { kind: 'counter', unit: '{message}', description: 'Events published' },
  'messaging.client.consumed.messages': {
    kind: 'counter',
    unit: '{message}',
    description: 'Events delivered to a group',
  },
  'messaging.client.operation.duration': {
    kind: 'histogram',
    unit: 's',
    description: 'Duration of a publish',
    buckets: SECONDS,
  },
  'messaging.process.duration': {
    kind: 'histogram',
    unit: 's',
    description: 'Duration of handling one event',
    buckets: SECONDS,
  },
  'engram.bus.lag': { kind: 'gauge', unit: '{message}', description: 'Events not yet handled by a group' },
  'engram.bus.lag.age': { kind: 'gauge', unit: 's', description: 'Age of the oldest event not yet handled by a group' },
  'engram.bus.dead_letters': { kind: 'counter', unit: '{message}', description: 'Events that a group gave up on' },
  'engram.runs.queued': { kind: 'gauge', unit: '{run}', description: 'Queue length: runs waiting for a worker' },
  'engram.run.duration': {
    kind: 'histogram',
    unit: 's',
    description: 'Processing time of a run, from claim to end',
    buckets: RUN_SECONDS,
  },
  'engram.task.duration': {
    kind: 'histogram',
    unit: 's',
    description: 'Processing time of a task',
    buckets: RUN_SECONDS,
  },
  'engram.runs.ended': { kind: 'counter', unit: '{run}', description: 'Runs ended, by outcome: the success rate' },
  'engram.objects.stored': { kind: 'gauge', unit: 'By', description: 'Storage used, by tier' },
  'engram.qc.snr': { kind: 'histogram', unit: '1', description: 'Signal-to-noise ratio of the T1', buckets: SNR },
  'engram.qc.registration': { kind: 'counter', unit: '{run}', description: 'Registrations, by quality' },
  'engram.qc.verdict': { kind: 'counter', unit: '{run}', description: 'Completed runs, by QC verdict' },
} as const satisfies Record<string, Definition>;

export type MetricName = keyof typeof METRICS;
type NameOf<K extends Definition['kind']> = {
  [N in MetricName]: (typeof METRICS)[N]['kind'] extends K ? N : never;
}[MetricName];

let provider: MeterProvider | undefined;
const counters = new Map<string, Counter>();
const gauges = new Map<string, Gauge>();
const histograms = new Map<string, Histogram>();

function meter() {
  const current = metrics.getMeterProvider();
  if (current !== provider) {
    provider = current;
    counters.clear();
    gauges.clear();
    histograms.clear();
  }
  return current.getMeter('engram');
}

function once<T>(cache: Map<string, T>, name: string, create: () => T): T {
  const held = cache.get(name);
  if (held) return held;
  const created = create();
  cache.set(name, created);
  return created;
}

/** @example count('engram.runs.ended', { 'engram.outcome': 'completed' }) */
export function count(name: NameOf<'counter'>, attributes: Attributes = {}, amount = 1): void {
  const source = meter();
  once(counters, name, () => source.createCounter(name, METRICS[name])).add(amount, attributes);
}

export function gauge(name: NameOf<'gauge'>, value: number, attributes: Attributes = {}): void {
  const source = meter();
  once(gauges, name, () => source.createGauge(name, METRICS[name])).record(value, attributes);
}

export function observe(name: NameOf<'histogram'>, value: number, attributes: Attributes = {}): void {
  const source = meter();
  const { unit, description, buckets } = METRICS[name];
  once(histograms, name, () =>
    source.createHistogram(name, { unit, description, advice: { explicitBucketBoundaries: [...buckets] } }),
  ).record(value, attributes);
}
