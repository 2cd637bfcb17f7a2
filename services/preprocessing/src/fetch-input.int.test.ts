import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ImageSource, RunInput } from '@engram/contracts';
import { guardedFetch, parseAllowList } from '@engram/http';
import { type Objects, openObjects } from '@engram/objects';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type FetchDeps, fetchInput, type RetrieveSeries } from './fetch-input.ts';
import { PATIENT, requested } from './run.fixture.ts';

let folder: string;
let objects: Objects;
let server: Server;
let origin: string;
let asked = 0;
const SERIES = [Buffer.from('instance one'), Buffer.from('instance two')];
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'engram-fetch-'));
  mkdirSync(join(folder, 'data'));
  objects = await openObjects(`file://${join(folder, 'objects')}`);
  asked = 0;
  server = createServer((request, response) => {
    if (request.url === '/scans/t1.nii.gz') response.end('a scan');
    else if (request.url === '/scans/busy.nii.gz') response.writeHead(503).end();
    else if (request.url === '/scans/moved.nii.gz') response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end();
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

const pacs: RetrieveSeries = async function* () {
  asked++;
  yield* SERIES;
};

async function fetched(source: ImageSource, into = 'in', retrieveSeries = pacs) {
  const allow = parseAllowList([`${origin}/scans`, `${origin}/dicom-web`, `file://${join(folder, 'data')}`]);
  const deps: FetchDeps = { objects, allow, fetch: guardedFetch({ allow }), retrieveSeries };
  const [example] = requested('r-1').data.inputs;
  if (!example) throw new Error('the example has an input');
  const input: RunInput = { ...example, study_uid: '1.2.840.1', series_uid: '1.2.840.1.1', source };
  return fetchInput(deps, PATIENT, input, join(folder, into), new AbortController().signal);
}

const dicomweb = (instances: number, base = `${origin}/dicom-web`): ImageSource => ({
  kind: 'dicomweb',
  base,
  study_uid: '1.2.840.1',
  series_uid: '1.2.840.1.1',
  instances,
});

describe('a series on a PACS', () => {
  test('arrives whole, is kept raw under its study, and is not asked for again', async () => {
    const { path, role } = await fetched(dicomweb(2));
    expect(role).toBe('t1');
    const names = SERIES.map((bytes) => `${sha256(bytes)}.dcm`).sort();
    expect(readdirSync(path).sort()).toEqual(names);
    const raw = (await objects.list(`raw/${PATIENT}/1.2.840.1/1.2.840.1.1/`)).objects;
    expect(raw.map((info) => info.key.split('/').at(-1))).toEqual(names);
    const again = await fetched(dicomweb(2), 'again');
    expect(readdirSync(again.path).sort()).toEqual(names);
    expect(asked).toBe(1);
  });

  test('that has grown is asked for again', async () => {
    await fetched(dicomweb(2));
    await expect(fetched(dicomweb(3), 'again')).rejects.toMatchObject({ code: 'UPSTREAM_FAILED' });
    expect(asked).toBe(2);
  });

  test('on a server that is not allowed is not asked for', async () => {
    await expect(fetched(dicomweb(2, 'http://127.0.0.1:1/dicom-web'))).rejects.toMatchObject({ code: 'URL_REFUSED' });
    expect(asked).toBe(0);
  });
});

describe('a URL', () => {
  const url = (address: string): ImageSource => ({ kind: 'url', url: address });

  test('over HTTP is downloaded under a name that says its format only', async () => {
    const { path } = await fetched(url(`${origin}/scans/t1.nii.gz`));
    expect(path).toBe(join(folder, 'in', 'image.nii.gz'));
    expect(readFileSync(path, 'utf8')).toBe('a scan');
  });

  test.each([
    ['/scans/busy.nii.gz', 'UPSTREAM_FAILED'],
    ['/scans/none.nii.gz', 'FILE_NOT_FOUND'],
    ['/scans/moved.nii.gz', 'URL_REFUSED'],
    ['/other/t1.nii.gz', 'URL_REFUSED'],
    ['/scans/../other/t1.nii.gz', 'URL_REFUSED'],
  ])('%s is refused with %s and leaves nothing', async (path, code) => {
    await expect(fetched(url(`${origin}${path}`))).rejects.toMatchObject({ code });
    expect(readdirSync(join(folder, 'in'))).toEqual([]);
  });

  test('of a file in an allowed folder is read where it lies', async () => {
    writeFileSync(join(folder, 'data', 't1.nii'), 'scan');
    expect((await fetched(url(`file://${join(folder, 'data', 't1.nii')}`))).path).toBe(join(folder, 'data', 't1.nii'));
  });

  test('of a DICOM folder is copied under names of its content, and kept raw', async () => {
    mkdirSync(join(folder, 'data', 'study', 'CANARY_DOE'), { recursive: true });
    SERIES.forEach((bytes, i) => void writeFileSync(join(folder, 'data', 'study', 'CANARY_DOE', `${i}`), bytes));
    const { path } = await fetched(url(`file://${join(folder, 'data', 'study')}`));
    expect(readdirSync(path)).toHaveLength(2);
    const keys = (await objects.list('raw/')).objects.map((info) => info.key);
    expect(keys).toHaveLength(2);
    expect(keys.join()).not.toContain('CANARY');
  });

  test('of a file outside, by whatever way, is refused', async () => {
    writeFileSync(join(folder, 'secret.nii'), 'x');
    symlinkSync(join(folder, 'secret.nii'), join(folder, 'data', 'link.nii'));
    for (const path of ['secret.nii', 'data/../secret.nii', 'data/link.nii']) {
      await expect(fetched(url(`file://${folder}/${path}`))).rejects.toMatchObject({ code: 'URL_REFUSED' });
    }
    await expect(fetched(url('s3://bucket/t1.nii'))).rejects.toMatchObject({ code: 'URL_REFUSED' });
  });
});

describe('an object', () => {
  test('is taken when it is the one that was asked for, and refused when it is another', async () => {
    const { sha256: hash } = await objects.put('uploads/t1.nii.gz', Buffer.from('scan'));
    const { path } = await fetched({ kind: 'object', key: 'uploads/t1.nii.gz', sha256: hash });
    expect(readFileSync(path, 'utf8')).toBe('scan');
    await expect(fetched({ kind: 'object', key: 'uploads/t1.nii.gz', sha256: '0'.repeat(64) })).rejects.toMatchObject({
      code: 'OBJECT_CORRUPT',
    });
    await expect(fetched({ kind: 'object', key: 'uploads/none', sha256: hash })).rejects.toMatchObject({
      code: 'OBJECT_NOT_FOUND',
    });
  });
});
