import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { catalogue, type ErrorEntry } from './catalogue.ts';
import { asEngramError, EngramError, isEngramError } from './engram-error.ts';
import { errorsDocument } from './errors-document.ts';

const document = readFileSync(fileURLToPath(new URL('../../../docs/errors.md', import.meta.url)), 'utf8');
const documented = [...document.matchAll(/^### (\S+)$/gm)].map((match) => match[1] ?? '');
const entries: readonly [string, ErrorEntry][] = Object.entries(catalogue);

describe('docs/errors.md', () => {
  test('every code of the catalogue is documented', () => {
    expect(Object.keys(catalogue).filter((code) => !documented.includes(code))).toEqual([]);
  });

  test('every documented code is in the catalogue, once', () => {
    expect(documented.filter((code) => !Object.hasOwn(catalogue, code))).toEqual([]);
    expect(new Set(documented).size).toBe(documented.length);
  });

  test('it is what scripts/generate-errors-doc.ts writes', () => {
    expect(document).toBe(errorsDocument());
  });
});

describe('the catalogue', () => {
  test.each(entries)('%s says what it means and what to do, as a sentence', (code, { title, action, status }) => {
    expect(code).toMatch(/^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/);
    expect(title).toMatch(/^\S.*[^.\s]$/);
    expect(action).toMatch(/^[A-Z].*\.$/);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(600);
  });
});

describe('an EngramError', () => {
  const error = new EngramError('NIFTI_TRUNCATED', 't1.nii.gz ends early', { file: 't1.nii.gz', field: 'dim' });

  test('crosses a process boundary and comes back as itself', () => {
    const back = EngramError.fromJSON(JSON.parse(JSON.stringify(error)));
    expect(back).toBeInstanceOf(EngramError);
    expect(back.toJSON()).toEqual(error.toJSON());
    expect(back.retryable).toBe(false);
  });

  test('of an unknown code becomes INTERNAL, so that an older reader survives a newer sender', () => {
    expect(EngramError.fromJSON({ code: 'CODE_OF_TOMORROW', message: 'x' }).code).toBe('INTERNAL');
  });

  test('is told apart by code; anything else thrown is wrapped with its cause', () => {
    expect(isEngramError(error, 'NIFTI_TRUNCATED')).toBe(true);
    expect(isEngramError(error, 'NIFTI_INVALID')).toBe(false);
    expect(isEngramError(new Error('x'))).toBe(false);
    expect(asEngramError(error)).toBe(error);
    const cause = new TypeError('x is not a function');
    expect(asEngramError(cause, 'UPSTREAM_FAILED')).toMatchObject({ code: 'UPSTREAM_FAILED', cause });
    expect(asEngramError('a string').message).toBe('a string');
  });
});
