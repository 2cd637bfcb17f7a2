/**
 * One trace from notification to write-back, metrics under their conventional names, and logs that cannot hold a patient.
 *
 * @example
 * const telemetry = await startTelemetry({ service: 'preprocessing' });
 * await withSpan('n4', { 'engram.pipeline': 'adni' }, () => work());
 * await telemetry.metricsText();
 * @module
 */
export { LOG_FIELDS, safeFields } from './log-fields.ts';
export { createLogger, type LogFields, type Logger, type LoggerOptions, silentLogger } from './logger.ts';
export { count, gauge, METRICS, type MetricName, observe } from './meters.ts';
export {
  errorType,
  type SpanKindName,
  type SpanOptions,
  setSpanAttributes,
  traceId,
  traceIdOf,
  traceparent,
  withoutTrace,
  withSpan,
  withTraceparent,
} from './spans.ts';
export { metricsText, startTelemetry, type Telemetry, type TelemetryOptions } from './start.ts';
