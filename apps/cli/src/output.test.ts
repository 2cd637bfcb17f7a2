import { EngramError } from '@engram/errors';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { forPeople, plainLine, speak } from './output.ts';

afterEach(() => {
  process.exitCode = undefined;
  vi.restoreAllMocks();
});

/** What a body's failure prints. */
async function failing(thrown: unknown, json: boolean): Promise<{ out: string; err: string }> {
  let out = '';
  let err = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += String(text);
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    err += String(text);
    return true;
  });
  await speak({ json }, () => Promise.reject(thrown));
  return { out, err };
}

describe('a command that fails', () => {
  test('says one plain line, and under --json one object with the same code', async () => {
    const error = new EngramError('NIFTI_TRUNCATED', 't1.nii.gz ends\nearly', { file: 't1.nii.gz' });
    const { out, err } = await failing(error, true);
    expect(JSON.parse(out)).toEqual({
      error: { code: 'NIFTI_TRUNCATED', message: 't1.nii.gz ends\nearly', file: 't1.nii.gz' },
    });
    expect(err).toBe(`engram: ${plainLine(error)}\n`);
    expect(err.trim().split('\n')).toHaveLength(1);
    expect(process.exitCode).toBe(1);
  });

  test.each([
    ['ENOSPC', 'DISK_FULL'],
    ['EADDRINUSE', 'PORT_TAKEN'],
    ['ENOENT', 'FILE_NOT_FOUND'],
    ['EEXIST', 'REQUEST_INVALID'],
    ['EACCES', 'REQUEST_INVALID'],
  ])('%s of the operating system is %s, never a stack trace', async (system, ours) => {
    const { err } = await failing(Object.assign(new Error(`${system}: deep inside`), { code: system }), false);
    expect(err).toContain(ours);
    expect(err).not.toMatch(/\n\s+at /);
  });
});

test('seconds are told as people say them', () => {
  expect([forPeople(0.4), forPeople(59.4), forPeople(63)]).toEqual(['0 s', '59 s', '1 min 3 s']);
});
