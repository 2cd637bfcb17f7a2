import { EngramError } from '@engram/errors';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LOG_FIELDS, safeFields } from './log-fields.ts';
import { createLogger } from './logger.ts';

function lines(write: (logger: ReturnType<typeof createLogger>) => void): string {
  const written: string[] = [];
  const destination = { write: (line: string) => void written.push(line) };
  write(createLogger({ service: 'test', level: 'debug', destination }));
  return written.join('');
}

/** Twenty ways in which a patient could slip into a log line: none may come out. */
const CANARIES: Readonly<Record<string, unknown>> = {
  patient_id: 'CANARY-MRN-1234567',
  name: 'CANARY^DOE',
  run_id: 'CANARY DOE',
  session_id: '1970-01-01 CANARY',
  patient_key: 'CANARY-not-a-key',
  task: 'CANARY DOE, JANE',
  group: 'CANARY/../../etc',
  code: 'canary lower case',
  route: 'CANARY?patient=1',
  host: 'CANARY host',
  status: { nested: 'CANARY' },
  count: 'CANARY as a number',
  field: 'CANARY DOE',
  bytes: ['CANARY'],
  url: 'https://pacs.example/CANARY',
  file: '/data/CANARY_DOE/t1.nii.gz',
  PatientName: 'CANARY',
  event: { data: { patient_id: 'CANARY' } },
  error: 'CANARY message with blanks',
  frames: ['at CANARY, Jane (DOE)'],
};

describe('log lines', () => {
  test.each(Object.entries(CANARIES))('a patient in the field %s is withheld', (field, value) => {
    const text = lines((logger) => logger.info('a fixed sentence', { [field]: value }));
    expect(text).not.toContain('CANARY');
    expect(JSON.parse(text)).toMatchObject({ msg: 'a fixed sentence', withheld: 1, service: 'test' });
  });

  test('an error is its code, class and places, never its message or cause', () => {
    const cause = new TypeError('CANARY in the cause');
    const error = new EngramError('NIFTI_INVALID', 'CANARY_DOE.nii is broken', { file: 'CANARY.nii', cause });
    const line = JSON.parse(lines((logger) => logger.error('a task failed', { err: error, run_id: 'r-0123' })));
    expect(JSON.stringify(line)).not.toContain('CANARY');
    expect(line).toMatchObject({ code: 'NIFTI_INVALID', error: 'EngramError', run_id: 'r-0123', level: 'error' });
    expect(line.frames[0]).toMatch(/logger\.test\.ts:\d+$/);
  });

  test('what an operator needs comes through', () => {
    const fields = {
      run_id: 'r-0123456789abcdef',
      patient_key: 'abcdefghijklmnopqrstuvwxyz',
      event_type: 'run.requested.v1',
      task: 'n4',
      attempt: 2,
      seconds: 1.5,
      retryable: true,
    };
    const line = JSON.parse(lines((logger) => logger.warn('a task failed', fields)));
    expect(line).toMatchObject(fields);
    expect(line).not.toHaveProperty('withheld');
  });

  test('any object whatever: only allowed names come out, each in its form', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.oneof(fc.string(), fc.constantFrom(...Object.keys(LOG_FIELDS))), fc.anything()),
        (given) => {
          for (const [name, value] of Object.entries(safeFields(given))) {
            if (name === 'withheld') expect(value).toBeGreaterThan(0);
            else expect(LOG_FIELDS[name]?.(value)).toBe(true);
          }
        },
      ),
      { numRuns: 1000 },
    );
  });
});
