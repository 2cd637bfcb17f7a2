/**
 * Starts the OpenTelemetry SDK of this process. Without an exporter spans still exist (so that trace ids run through
 * events and logs) and metrics can be read in process; nothing leaves the machine unless an endpoint is given.
 */
import { context, metrics, propagation, trace } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';

export interface TelemetryOptions {
  readonly service: string;
  readonly version?: string;
  /** `none` (default), `console`, `otlp` (HTTP, needs `endpoint`), or `memory` for tests. */
  readonly exporter?: 'none' | 'console' | 'otlp' | 'memory';
  /** OTLP base URL such as `http://127.0.0.1:4318`; `/v1/traces` is added. */
  readonly endpoint?: string | undefined;
}

export interface Telemetry {
  /** All metrics in Prometheus' text format. */
  metricsText(): Promise<string>;
  /** Finished spans; empty unless the exporter is `memory`. */
  spans(): readonly ReadableSpan[];
  shutdown(): Promise<void>;
}

let running: Telemetry | undefined;

/** Metrics of the running telemetry in Prometheus' text format; a comment line when none was started. */
export async function metricsText(): Promise<string> {
  return running ? running.metricsText() : '# telemetry is not started\n';
}

/** One telemetry a process: a second start replaces the first. @throws CONFIG_INVALID for otlp without an endpoint. */
export async function startTelemetry(options: TelemetryOptions): Promise<Telemetry> {
  await running?.shutdown();
  const { startSdk } = await import('./sdk.ts');
  const sdk = startSdk(options);
  const telemetry: Telemetry = {
    ...sdk,
    async shutdown() {
      if (running === telemetry) running = undefined;
      await sdk.shutdown();
      for (const api of [trace, metrics, context, propagation]) api.disable();
    },
  };
  running = telemetry;
  return telemetry;
}
