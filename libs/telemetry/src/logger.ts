/** JSON lines by pino, each with the trace it belongs to, each field through the allow-list of log-fields.ts. */
import { context, trace } from '@opentelemetry/api';
import { type DestinationStream, type Logger as Pino, pino } from 'pino';
import { safeFields } from './log-fields.ts';

export interface LoggerOptions {
  readonly service: string;
  readonly level?: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  /** Default: standard error, so that a command's standard output stays its own. */
  readonly destination?: DestinationStream;
}

export type LogFields = Readonly<Record<string, unknown>>;

/** Messages are fixed sentences; everything that varies goes into `fields`. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

export function createLogger({ service, level = 'info', destination }: LoggerOptions): Logger {
  const sink: Pino = pino(
    {
      level,
      base: { service },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: (fields) => ({ ...safeFields(fields) }) },
      mixin() {
        const span = trace.getSpanContext(context.active());
        return span ? { trace_id: span.traceId, span_id: span.spanId } : {};
      },
    },
    destination ?? pino.destination(2),
  );
  return {
    debug: (message, fields = {}) => sink.debug(fields, message),
    info: (message, fields = {}) => sink.info(fields, message),
    warn: (message, fields = {}) => sink.warn(fields, message),
    error: (message, fields = {}) => sink.error(fields, message),
  };
}

/** Says nothing: for libraries and tests that were given no logger. */
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} };
