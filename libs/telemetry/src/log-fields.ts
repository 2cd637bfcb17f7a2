/**
 * What a log line may hold. An allow-list, field by field with the form of its value: whatever is not named here, or does
 * not look as it must, is withheld, so that no patient's name, identifier, path or URL reaches a log by accident. Pure.
 */

type Check = (value: unknown) => boolean;

const text =
  (form: RegExp): Check =>
  (value) =>
    typeof value === 'string' && form.test(value);
const number: Check = (value) => typeof value === 'number';
const flag: Check = (value) => typeof value === 'boolean';

const word = text(/^[A-Za-z][A-Za-z0-9._:-]{0,63}$/);
const derivedId = text(/^[a-z]{1,4}-[0-9a-f-]{1,64}$/);

export const LOG_FIELDS: Readonly<Record<string, Check>> = {
  service: word,
  code: text(/^[A-Z][A-Z0-9_]{2,63}$/),
  error: word,
  frames: (value) => Array.isArray(value) && value.every(text(/^[A-Za-z0-9_./:<> -]{1,200}$/)),
  trace_id: text(/^[0-9a-f]{32}$/),
  span_id: text(/^[0-9a-f]{16}$/),
  run_id: derivedId,
  session_id: derivedId,
  feature_set_id: derivedId,
  forecast_id: derivedId,
  event_id: text(/^[0-9a-f]{32}$/),
  event_type: text(/^[a-z]+\.[a-z]+\.v\d+$/),
  patient_key: text(/^[a-z2-7]{26}$/),
  group: word,
  pipeline: word,
  task: word,
  status: word,
  outcome: word,
  verdict: word,
  priority: word,
  device: text(/^[A-Za-z0-9 ()._-]{1,64}$/),
  worker: word,
  method: text(/^[A-Z]{3,8}$/),
  route: text(/^\/[A-Za-z0-9/:_.*-]{0,128}$/),
  field: text(/^[A-Za-z0-9_.[\]-]{1,128}$/),
  host: text(/^[A-Za-z0-9.:-]{1,128}$/),
  port: number,
  attempt: number,
  attempts: number,
  count: number,
  bytes: number,
  seconds: number,
  duration_ms: number,
  http_status: number,
  retryable: flag,
  reused: flag,
};

export interface SafeFields {
  readonly [field: string]: unknown;
}

/** Keeps what the allow-list lets through and says how many fields were withheld. `err` becomes code, class and frames. */
export function safeFields(fields: Readonly<Record<string, unknown>>): SafeFields {
  const kept: Record<string, unknown> = {};
  let withheld = 0;
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    if (name === 'err' && value instanceof Error) Object.assign(kept, safeError(value));
    else if (Object.hasOwn(LOG_FIELDS, name) && LOG_FIELDS[name]?.(value)) kept[name] = value;
    else withheld++;
  }
  return withheld === 0 ? kept : { ...kept, withheld };
}

/** An error without its message, which may quote a file or a resource; its code and the places it passed say enough. */
function safeError(error: Error): SafeFields {
  const frames = (error.stack ?? '')
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .slice(0, 8)
    .map((line) => /([\w.-]+\/[\w.-]+:\d+):\d+\)?$/.exec(line)?.[1])
    .filter((frame) => frame !== undefined);
  const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {};
  return { ...safeFields(code), error: /^\w{1,64}$/.test(error.name) ? error.name : 'Error', frames };
}
