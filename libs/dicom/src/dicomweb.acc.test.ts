/**
 * The DICOMweb client on a real PACS, named by `DICOMWEB_URL` (`npm run stack -- up orthanc` starts one and prints it), with real
 * scanners' files: what was stored is found, described and given back as it was, and converts to the same image.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { guardedFetch, parseAllowList } from '@engram/http';
import { hasSharedData, sharedData, storeInstances } from '@engram/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  convertSeries,
  createDicomWeb,
  type DicomSeries,
  factsOfMetadata,
  factsOfSeries,
  readDicomHeaders,
  sanitisePreamble,
} from './index.ts';

const base = process.env['DICOMWEB_URL'];
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
/** As we keep it: nothing before `DICM`. */
const hashOf = (path: string): string => sha256(sanitisePreamble(readFileSync(path)));

describe.skipIf(base === undefined || !hasSharedData)('a real PACS (needs DICOMWEB_URL and ../shared/data)', () => {
  // As the services ask: Node's own fetch ends the process when a server hangs up early (nodejs/undici issue 5360).
  const web = createDicomWeb({
    base: base ?? '',
    fetch: guardedFetch({ allow: parseAllowList(base === undefined ? [] : [base]) }),
  });
  const folder = mkdtempSync(join(tmpdir(), 'engram-pacs-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  function unpack(name: string): string {
    const target = join(folder, name);
    execFileSync('mkdir', [target]);
    execFileSync('tar', ['-C', target, '-xf', sharedData('dicom', `${name}.tar.xz`)]);
    return target;
  }

  describe.each([
    ['a mixed study', () => unpack('fnndsc_adi_brain_mr_study')],
    ['a whole head of 384 slices', () => unpack('studyforrest_T1_dicom')],
    ['GE', () => sharedData('dicom', 'vendors', 'ge', 'anatomical', '001')],
    ['Siemens', () => sharedData('dicom', 'vendors', 'siemens', 'anatomical', '001')],
    ['Philips', () => sharedData('dicom', 'vendors', 'philips', 'anatomical', '001')],
    ['Hitachi', () => sharedData('dicom', 'vendors', 'hitachi', 'anatomical', '001')],
  ])('%s', (_, source) => {
    let series: readonly DicomSeries[];
    let studyUid: string;
    const seriesOf = (uid: string) => series.filter(({ studyUid }) => studyUid === uid);

    beforeAll(async () => {
      series = (await readDicomHeaders(source())).series;
      studyUid = series[0].studyUid;
      const files = series.flatMap(({ files }) => files.map(({ path }) => path));
      await storeInstances(
        base ?? '',
        files.map((path) => readFileSync(path)),
      );
    }, 300_000);

    test('the study, its series and its instances are found', async () => {
      const studies = await web.searchStudies({ StudyInstanceUID: studyUid });
      expect(studies.map((study) => firstValue(study, '0020000D'))).toEqual([studyUid]);
      const found = await web.searchSeries(studyUid);
      expect(found.map((one) => firstValue(one, '0020000E')).sort()).toEqual(
        seriesOf(studyUid)
          .map(({ uid }) => uid)
          .sort(),
      );
      for (const { uid, files } of seriesOf(studyUid)) {
        expect(await web.searchInstances(studyUid, uid)).toHaveLength(files.length);
      }
    });

    test('its metadata says of every series what the files themselves say', async () => {
      const facts = factsOfMetadata(await web.metadata(studyUid));
      const byUid = (a: { series_uid: string }, b: { series_uid: string }) => (a.series_uid < b.series_uid ? -1 : 1);
      expect([...facts].sort(byUid)).toEqual(seriesOf(studyUid).map(factsOfSeries).sort(byUid));
    });

    test('every instance comes back byte for byte, and the series converts to the same image', async () => {
      const [largest] = [...seriesOf(studyUid)].sort((a, b) => b.files.length - a.files.length);
      const target = join(folder, largest.uid);
      const { files } = await web.downloadSeries(studyUid, largest.uid, target);
      const stored = new Map(largest.files.map(({ path, instance }) => [`${instance.sopUid}.dcm`, hashOf(path)]));
      expect(new Map(files.map((path) => [basename(path), sha256(readFileSync(path))]))).toEqual(stored);
      const options = { missingSlices: 'interpolate' } as const;
      const here = await convertSeries(
        largest.files.map(({ path }) => path),
        options,
      );
      const there = await convertSeries(target, options);
      expect(there.volume.shape).toEqual(here.volume.shape);
      expect(sha256(new Uint8Array(there.volume.data.buffer))).toBe(sha256(new Uint8Array(here.volume.data.buffer)));
      expect(there.volume.affine).toEqual(here.volume.affine);
    });
  });

  test('compressed and big-endian files come back as they were stored', async () => {
    const names = ['MR_small_RLE', 'MR_small_bigendian', 'MR_small_jp2klossless', 'MR_small_jpeg_ls_lossless'];
    for (const name of names) {
      const path = sharedData('dicom', 'pydicom', `${name}.dcm`);
      const { series } = await readDicomHeaders(path);
      const [{ studyUid, uid }] = series;
      expect(await storeInstances(base ?? '', [readFileSync(path)])).toBe(1);
      const instances = [];
      for await (const { bytes } of web.retrieveSeries(studyUid, uid)) instances.push(sha256(bytes));
      expect(instances, name).toEqual([hashOf(path)]);
    }
  });

  test('what is not there is nothing, or a coded failure', async () => {
    expect(await web.searchStudies({ PatientID: 'nobody-of-this-name' })).toEqual([]);
    await expect(web.metadata('1.2.3.4.5.6')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

/** The first value of an element in the DICOM JSON model. */
function firstValue(json: Readonly<Record<string, unknown>>, tag: string): unknown {
  const element = json[tag] as { readonly Value?: readonly unknown[] } | undefined;
  return element?.Value?.[0];
}
