// A small server that speaks DICOMweb as real ones do, quirks included, over synthetic files.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { dicomSlice } from '@engram/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { chooseSeries, convertSeries, createDicomWeb, type DicomWebOptions, factsOfMetadata } from './index.ts';

const STUDY = '1.2.826.0.1';
const SERIES = '1.2.826.0.1.1';
const files = Array.from({ length: 5 }, (_, index) => {
  const file = dicomSlice({ instance: index + 1, position: [0, 0, index * 2] });
  file.write('MZ', 0, 'latin1');
  return file;
});

const servers: Server[] = [];
const folders: string[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

async function client(listener: RequestListener, options: Partial<DicomWebOptions> = {}) {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return createDicomWeb({ base: `http://127.0.0.1:${address.port}/dicom-web/`, fetch, ...options });
}

interface Multipart {
  boundary?: string;
  quoted?: boolean;
  preamble?: string;
  parts?: readonly Uint8Array[];
  end?: string;
}
function multipart({
  boundary = 'b0undary',
  quoted = true,
  preamble = '',
  parts = files,
  end = '--\r\n',
}: Multipart = {}) {
  const pieces = parts.flatMap((part) => [
    Buffer.from(`\r\n--${boundary}\r\nContent-Type: application/dicom; transfer-syntax=1.2.840.10008.1.2.1\r\n\r\n`),
    part,
  ]);
  const body = Buffer.concat([Buffer.from(preamble), ...pieces, Buffer.from(`\r\n--${boundary}${end}`)]);
  const type = `multipart/related; type="application/dicom"; boundary=${quoted ? `"${boundary}"` : boundary}`;
  return { body: preamble === '' ? body.subarray(2) : body, type };
}
/** Sends a body in pieces of a size, so that boundaries fall anywhere. */
const send =
  ({ body, type }: { body: Buffer; type: string }, size = 65_536): RequestListener =>
  (_, response) => {
    response.writeHead(200, { 'content-type': type });
    for (let at = 0; at < body.length; at += size) response.write(body.subarray(at, at + size));
    response.end();
  };
const collect = async (web: Awaited<ReturnType<typeof client>>) => {
  const out: Uint8Array[] = [];
  for await (const { bytes } of web.retrieveSeries(STUDY, SERIES)) out.push(bytes);
  return out;
};
const clean = files.map((file) => Buffer.concat([Buffer.alloc(128), file.subarray(128)]));

describe('retrieval', () => {
  test('asks for every transfer syntax, with the authorisation given', async () => {
    let seen: Record<string, unknown> = {};
    const listener: RequestListener = (request, response) => {
      seen = { url: request.url, accept: request.headers.accept, authorization: request.headers.authorization };
      send(multipart())(request, response);
    };
    const parts = await collect(await client(listener, { headers: { authorization: 'Bearer t' } }));
    expect(seen).toEqual({
      url: `/dicom-web/studies/${STUDY}/series/${SERIES}`,
      accept: 'multipart/related; type="application/dicom"; transfer-syntax=*',
      authorization: 'Bearer t',
    });
    expect(parts.map((part) => Buffer.from(part).equals(clean[parts.indexOf(part)]))).toEqual(files.map(() => true));
  });

  test.each([1, 7, 61, 1000, 1 << 20])('gives the same files from pieces of %i bytes', async (size) => {
    const parts = await collect(await client(send(multipart(), size)));
    expect(parts.map((part) => Buffer.compare(part, clean[parts.indexOf(part)]))).toEqual(files.map(() => 0));
  });

  test.each<[string, Multipart]>([
    ['an unquoted boundary', { quoted: false }],
    ['a boundary of special characters', { boundary: "=_'()+,-./:? x" }],
    ['a preamble before the first boundary', { preamble: 'This is a multipart message.' }],
    ['no line break after the last boundary', { end: '--' }],
    ['text after the last boundary', { end: '--\r\nepilogue' }],
  ])('reads %s', async (_, shape) => {
    expect(await collect(await client(send(multipart(shape))))).toHaveLength(5);
  });

  test('reads a single instance sent without multipart, and nothing from 204', async () => {
    expect(await collect(await client(send({ body: files[0], type: 'application/dicom' })))).toHaveLength(1);
    expect(await collect(await client((_, response) => response.writeHead(204).end()))).toEqual([]);
  });

  test('what it downloads converts', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'engram-dicomweb-'));
    folders.push(folder);
    const web = await client(send(multipart()));
    const { files: written, bytes } = await web.downloadSeries(STUDY, SERIES, join(folder, 'raw'));
    expect(written.map((file) => basename(file))).toEqual(files.map((_, index) => `${SERIES}.${index + 1}.dcm`));
    expect(bytes).toBe(files.reduce((sum, file) => sum + file.length, 0));
    expect(readFileSync(written[0]).subarray(0, 2)).toEqual(Buffer.alloc(2));
    expect((await convertSeries(join(folder, 'raw'))).volume.shape).toEqual([4, 4, 5]);
  });
});

describe('a failing or hostile server is a coded failure', () => {
  test.each<[string, RequestListener, string]>([
    ['503', (_, response) => response.writeHead(503).end('busy'), 'UPSTREAM_FAILED'],
    ['401', (_, response) => response.writeHead(401).end(), 'UPSTREAM_FAILED'],
    ['406', (_, response) => response.writeHead(406).end(), 'UPSTREAM_FAILED'],
    ['404', (_, response) => response.writeHead(404).end(), 'NOT_FOUND'],
    [
      'a cut connection',
      (_, response) =>
        response.writeHead(200, { 'content-type': multipart().type }).write('--b0', () => response.destroy()),
      'UPSTREAM_FAILED',
    ],
    ['an answer cut at a part', send({ ...multipart(), body: multipart().body.subarray(0, 900) }), 'UPSTREAM_FAILED'],
    ['an answer without its last boundary', send(multipart({ end: '\r\n' })), 'UPSTREAM_FAILED'],
    ['HTML', send({ body: Buffer.from('<html>'), type: 'text/html' }), 'UPSTREAM_FAILED'],
    ['multipart without a boundary', send({ body: multipart().body, type: 'multipart/related' }), 'UPSTREAM_FAILED'],
    [
      'another boundary than it said',
      send({ ...multipart({ boundary: 'x' }), type: multipart().type }),
      'UPSTREAM_FAILED',
    ],
    ['a part that is no DICOM', send(multipart({ parts: [Buffer.from('no')] })), 'UPSTREAM_FAILED'],
    [
      'another series',
      send(multipart({ parts: [dicomSlice({ instance: 1, position: [0, 0, 0], series: '1.9' })] })),
      'UPSTREAM_FAILED',
    ],
    [
      'an instance whose UID is a path',
      send(
        multipart({
          parts: [dicomSlice({ instance: 1, position: [0, 0, 0], more: { '00080018': ['UI', '../../etc/x'] } })],
        }),
      ),
      'UPSTREAM_FAILED',
    ],
    [
      'endless headers',
      send({ ...multipart(), body: Buffer.from(`--b0undary\r\n${'x'.repeat(100_000)}`) }),
      'UPSTREAM_FAILED',
    ],
  ])('%s', async (_, listener, code) => {
    await expect(collect(await client(listener))).rejects.toMatchObject({ code });
  });

  test('a part or an answer beyond its limit', async () => {
    const limited = (limits: DicomWebOptions['limits']) =>
      client(send(multipart(), 100), { ...(limits && { limits }) });
    await expect(collect(await limited({ maxPartBytes: 200 }))).rejects.toMatchObject({ code: 'FILE_TOO_LARGE' });
    await expect(collect(await limited({ maxTotalBytes: 2000 }))).rejects.toMatchObject({ code: 'FILE_TOO_LARGE' });
  });

  test('nobody there, and a caller who gives up', async () => {
    const nobody = createDicomWeb({ base: 'http://127.0.0.1:1', fetch });
    await expect(nobody.metadata(STUDY)).rejects.toMatchObject({ code: 'UPSTREAM_FAILED' });
    const web = await client(() => undefined);
    const given = AbortSignal.abort(new Error('given up'));
    await expect(web.metadata(STUDY, undefined, { signal: given })).rejects.toThrow('given up');
  });

  test('no request leaves with what is no UID', async () => {
    const web = createDicomWeb({ base: 'http://127.0.0.1:1', fetch: () => Promise.reject(new Error('asked')) });
    for (const bad of ['', '../x', '1.2/3', 'abc', '1..2', '1'.repeat(65)]) {
      await expect(web.metadata(bad)).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
    }
  });
});

describe('searches and metadata', () => {
  const json =
    (body: unknown): RequestListener =>
    (_, response) =>
      response.writeHead(200, { 'content-type': 'application/dicom+json' }).end(JSON.stringify(body));
  const match = (uid: string) => ({ '0020000D': { vr: 'UI', Value: [uid] }, '0020000E': { vr: 'UI', Value: [uid] } });

  test('pages are read to the end, whether or not the server heeds offset', async () => {
    const all = Array.from({ length: 1203 }, (_, index) => match(`1.${index}`));
    const heeding = await client((request, response) => {
      const offset = Number(new URL(request.url ?? '', 'http://x').searchParams.get('offset'));
      json(all.slice(offset, offset + 500))(request, response);
    });
    expect(await heeding.searchStudies({ ModalitiesInStudy: 'MR' })).toHaveLength(1203);
    const stubborn = await client(json(all));
    expect(await stubborn.searchSeries(STUDY)).toHaveLength(1203);
    const flooding = await client(json(all), { limits: { maxMatches: 100 } });
    await expect(flooding.searchStudies({})).rejects.toMatchObject({ code: 'FILE_TOO_LARGE' });
  });

  test('204 and an empty answer are no matches', async () => {
    const none = await client((_, response) => response.writeHead(204).end());
    expect(await none.searchStudies({ PatientID: '1' })).toEqual([]);
    const empty = await client((_, response) => response.writeHead(200).end());
    expect(await empty.searchInstances(STUDY, SERIES)).toEqual([]);
  });

  test('the query is encoded, so that a value cannot become another parameter', async () => {
    let url = '';
    const web = await client((request, response) => {
      url = request.url ?? '';
      json([])(request, response);
    });
    await web.searchStudies({ PatientID: 'a&b=c d' });
    expect(new URL(url, 'http://x').searchParams.get('PatientID')).toBe('a&b=c d');
  });

  test('metadata chooses a series', async () => {
    const instance = (n: number) => ({
      ...match(SERIES),
      '00080018': { vr: 'UI', Value: [`${SERIES}.${n}`] },
      '00080060': { vr: 'CS', Value: ['MR'] },
      '0008103E': { vr: 'LO', Value: ['MPRAGE'] },
      '00280030': { vr: 'DS', Value: [1, 1] },
      '00200032': { vr: 'DS', Value: [0, 0, n] },
      '00200037': { vr: 'DS', Value: [1, 0, 0, 0, 1, 0] },
    });
    const web = await client(json(Array.from({ length: 170 }, (_, n) => instance(n))));
    expect(chooseSeries(factsOfMetadata(await web.metadata(STUDY))).t1?.series_uid).toBe(SERIES);
  });

  test.each([
    ['no JSON', '{'],
    ['a number', '3'],
    ['a list of numbers', '[1]'],
  ])('%s is a coded failure', async (_, body) => {
    const web = await client((_request, response) => response.writeHead(200).end(body));
    await expect(web.metadata(STUDY)).rejects.toMatchObject({ code: 'UPSTREAM_FAILED' });
  });

  test('JSON beyond the limit is refused', async () => {
    const web = await client(json([match('1.2')]), { limits: { maxJsonBytes: 10 } });
    await expect(web.metadata(STUDY)).rejects.toMatchObject({ code: 'FILE_TOO_LARGE' });
  });
});
