import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { allowedBucket, allowedPath, allowedWebUrl, parseAllowList } from './allow-list.ts';
import { checkBinding } from './listen.ts';

const refused = expect.objectContaining({ code: 'URL_REFUSED' });
const wrong = expect.objectContaining({ code: 'CONFIG_INVALID' });

describe('web addresses', () => {
  const list = parseAllowList(['https://pacs.example', 'http://10.0.0.5:8042/dicom-web', 'fhir.example']);

  test.each([
    'https://pacs.example/studies/1',
    'https://pacs.example:443/studies',
    'HTTPS://PACS.EXAMPLE/studies',
    'http://10.0.0.5:8042/dicom-web',
    'http://10.0.0.5:8042/dicom-web/studies',
    'https://fhir.example/R4',
  ])('%s is allowed by its exact entry', (url) => {
    expect(allowedWebUrl(url, list).href).toBeTruthy();
  });

  test.each([
    'http://pacs.example/studies',
    'https://pacs.example:8443/',
    'https://pacs.example.evil.example/',
    'https://evil.example/https://pacs.example',
    'https://pacs.example./',
    'https://pacs.example@evil.example/',
    'https://user:pass@pacs.example/',
    'https://evil.example#pacs.example',
    'https://evil.example?pacs.example',
    'https://evil.example\\@pacs.example/',
    'https://sub.pacs.example/',
    'http://10.0.0.5:8042/dicom-web/%2e%2e/admin',
    'https://pacs.example/a%2fb',
    'http://10.0.0.5:8042/',
    'http://10.0.0.5:8042/dicom-web/../admin',
    'http://10.0.0.5:8042/dicom-webs',
    'http://10.0.0.5/dicom-web',
    'http://10.0.0.6:8042/dicom-web',
    'http://fhir.example/R4',
    'http://127.0.0.1/',
    'http://localhost/',
    'http://2130706433/',
    'http://0x7f000001/',
    'http://0177.0.0.1/',
    'http://127.1/',
    'http://0/',
    'http://0.0.0.0/',
    'http://[::1]/',
    'http://[::]/',
    'http://[::ffff:127.0.0.1]/',
    'http://[::ffff:7f00:1]/',
    'http://[fe80::1]/',
    'http://[fd00:ec2::254]/',
    'http://169.254.169.254/latest/meta-data/',
    'http://2852039166/',
    'http://0xa9fea9fe/',
    'http://[::ffff:169.254.169.254]/',
    'http://metadata.google.internal/',
    'http://100.100.100.200/',
    'http://192.168.0.1/',
    'http://10.0.0.1/',
    'http://172.16.0.1/',
    'http://127.0.0.1.nip.io/',
    'http://①②⑦.⓪.⓪.①/',
    'http://ⓛocalhost/',
    'http://spoofed.burpcollaborator.net/',
    'gopher://pacs.example/',
    'ftp://pacs.example/',
    'file:///etc/passwd',
    'dict://127.0.0.1:11211/',
    'jar:https://pacs.example!/',
    'data:text/plain,hello',
    'javascript:alert(1)',
    'blob:https://pacs.example/1',
    'ws://pacs.example/',
    'unix:/var/run/docker.sock',
    'netdoc:///etc/passwd',
    '//pacs.example/',
    '/studies',
    'pacs.example',
    '',
    'https://',
    'https:// pacs.example/',
    'https://pacs.example:99999/',
  ])('%s is refused', (url) => {
    expect(() => allowedWebUrl(url, list)).toThrow(refused);
  });

  test.each([
    'https://*.example',
    '*',
    'ftp://a.example',
    'https://u:p@a.example',
    'https://a.example?x=1',
    'https://',
  ])('the entry %s is refused at start, because it is not exact', (entry) => {
    expect(() => parseAllowList([entry])).toThrow(wrong);
  });
});

describe('folders', () => {
  const root = mkdtempSync(join(tmpdir(), 'engram-allow-'));
  const inside = join(root, 'scans');
  mkdirSync(inside);
  mkdirSync(join(root, 'scans-private'));
  writeFileSync(join(inside, 't1.nii.gz'), 'x');
  writeFileSync(join(root, 'secret'), 'x');
  writeFileSync(join(root, 'scans-private', 'secret'), 'x');
  symlinkSync(join(root, 'secret'), join(inside, 'link'));
  symlinkSync(root, join(inside, 'up'));
  afterAll(() => rmSync(root, { recursive: true }));
  const list = parseAllowList([pathToFileURL(inside).href]);
  const at = (...path: string[]) => pathToFileURL(join(root, ...path)).href;

  test('a file below an allowed folder is found', async () => {
    expect(await allowedPath(at('scans', 't1.nii.gz'), list)).toContain('t1.nii.gz');
    expect(await allowedPath(at('scans'), list)).toContain('scans');
    await expect(allowedPath(at('scans', 'none'), list)).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
  });

  test.each([
    ['a file beside the folder', at('secret')],
    ['a folder whose name starts alike', at('scans-private', 'secret')],
    ['a link out of the folder', at('scans', 'link')],
    ['a path through a link out of the folder', at('scans', 'up', 'secret')],
    ['dots', `${at('scans')}/../secret`],
    ['encoded dots', `${at('scans')}/%2e%2e/secret`],
    ['an encoded slash', `${at('scans')}/..%2fsecret`],
    ['a host', 'file://server/share/t1.nii.gz'],
    ['another scheme', 'https://pacs.example/t1.nii.gz'],
    ['what does not exist outside', at('nothing', 'here')],
  ])('%s is refused', async (_name, url) => {
    await expect(allowedPath(url, list)).rejects.toMatchObject({ code: 'URL_REFUSED' });
  });
});

test('a bucket is allowed by name and prefix', () => {
  const list = parseAllowList(['s3://scans/site-a']);
  expect(allowedBucket('s3://scans/site-a/1/t1.nii.gz', list)).toEqual({ bucket: 'scans', key: 'site-a/1/t1.nii.gz' });
  for (const url of [
    's3://scans/site-ab/1',
    's3://other/site-a/1',
    's3://scans/site-a/%2e%2e/b',
    'https://scans/site-a',
  ]) {
    expect(() => allowedBucket(url, list), url).toThrow(refused);
  }
});

test('off the loopback a service needs a token, and TLS or a stated proxy', () => {
  expect(() => checkBinding('0.0.0.0', {})).toThrow(wrong);
  expect(() => checkBinding('0.0.0.0', { token: 't' })).toThrow(wrong);
  expect(() => checkBinding('::', { tls: {} })).toThrow(wrong);
  for (const protection of [
    { token: 't', tls: {} },
    { token: 't', behindProxy: true },
  ]) {
    expect(() => checkBinding('0.0.0.0', protection)).not.toThrow();
  }
  expect(() => checkBinding('127.0.0.1', {})).not.toThrow();
});
