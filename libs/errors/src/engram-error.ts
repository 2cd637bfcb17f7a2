/**
 * The one error class of Engram. A code says what went wrong, the fields say where, `cause` says why; `catalogue.ts`
 * says what to do. Domain errors know no HTTP.
 */
import { catalogue, type ErrorCode } from './catalogue.ts';

export interface ErrorFields {
  /** The file concerned: a base name or object key, never a path that holds a patient's name. */
  readonly file?: string;
  /** The field of a request, header or resource concerned. */
  readonly field?: string;
  readonly cause?: unknown;
}

export class EngramError extends Error {
  readonly code: ErrorCode;
  readonly file: string | undefined;
  readonly field: string | undefined;

  constructor(code: ErrorCode, message: string, fields: ErrorFields = {}) {
    super(message, fields.cause === undefined ? undefined : { cause: fields.cause });
    this.name = 'EngramError';
    this.code = code;
    this.file = fields.file;
    this.field = fields.field;
  }

  get retryable(): boolean {
    return catalogue[this.code].retryable;
  }

  /** Plain form that crosses a process boundary. */
  toJSON(): { code: ErrorCode; message: string; file?: string; field?: string } {
    return {
      code: this.code,
      message: this.message,
      ...(this.file === undefined ? {} : { file: this.file }),
      ...(this.field === undefined ? {} : { field: this.field }),
    };
  }

  static fromJSON(json: { code: string; message: string; file?: string; field?: string }): EngramError {
    const code = json.code in catalogue ? (json.code as ErrorCode) : 'INTERNAL';
    return new EngramError(code, json.message, {
      ...(json.file === undefined ? {} : { file: json.file }),
      ...(json.field === undefined ? {} : { field: json.field }),
    });
  }
}

export function isEngramError(error: unknown, code?: ErrorCode): error is EngramError {
  return error instanceof EngramError && (code === undefined || error.code === code);
}

/** Wraps anything thrown; an EngramError stays as it is. */
export function asEngramError(error: unknown, code: ErrorCode = 'INTERNAL', fields: ErrorFields = {}): EngramError {
  if (error instanceof EngramError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new EngramError(code, message, { ...fields, cause: error });
}
