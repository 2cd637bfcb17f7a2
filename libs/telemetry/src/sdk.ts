/** The SDK behind `start.ts`, in a file of its own so that its many modules load only in a process that starts it. */
import { EngramError } from '@engram/errors';
import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { NodeSDK } from '@opentelemetry/sdk-node';
import {
  BatchSpanProcessor,
  ConsoleSpanExporter,
  InMemorySpanExporter,
  NoopSpanProcessor,
  SimpleSpanProcessor,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace';
import type { Telemetry, TelemetryOptions } from './start.ts';

function processorOf(options: TelemetryOptions, memory: InMemorySpanExporter): SpanProcessor {
  // SDK 3 takes the exporter by name; given by position it is accepted and nothing is exported.
  switch (options.exporter ?? 'none') {
    case 'console':
      return new SimpleSpanProcessor({ exporter: new ConsoleSpanExporter() });
    case 'memory':
      return new SimpleSpanProcessor({ exporter: memory });
    case 'otlp': {
      if (!options.endpoint) {
        throw new EngramError('CONFIG_INVALID', 'the otlp exporter needs an endpoint', { field: 'ENGRAM_OTLP_URL' });
      }
      const url = `${options.endpoint.replace(/\/$/, '')}/v1/traces`;
      return new BatchSpanProcessor({ exporter: new OTLPTraceExporter({ url }) });
    }
    case 'none':
      return new NoopSpanProcessor();
  }
}

/** @throws CONFIG_INVALID for otlp without an endpoint. */
export function startSdk(options: TelemetryOptions): Telemetry {
  const memory = new InMemorySpanExporter();
  const reader = new PrometheusExporter({ preventServerStart: true });
  const serializer = new PrometheusSerializer(undefined, false, undefined, true, true);
  const sdk = new NodeSDK({
    serviceName: options.service,
    spanProcessors: [processorOf(options, memory)],
    metricReaders: [reader],
    // An empty list keeps the SDK from switching on an exporter by its environment variables.
    logRecordProcessors: [],
    instrumentations: [],
    autoDetectResources: false,
  });
  sdk.start();
  return {
    async metricsText() {
      const { resourceMetrics } = await reader.collect();
      return serializer.serialize(resourceMetrics);
    },
    spans: () => memory.getFinishedSpans(),
    shutdown: () => sdk.shutdown(),
  };
}
