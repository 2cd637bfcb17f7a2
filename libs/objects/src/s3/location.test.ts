import { expect, test } from 'vitest';
import { parseS3Url } from './location.ts';

test('a bucket alone is one of AWS, with the region of the environment', () => {
  expect(parseS3Url('s3://engram')).toEqual({
    bucket: 'engram',
    prefix: '',
    endpoint: undefined,
    region: undefined,
    pathStyle: false,
  });
});

test('another store is named by its endpoint, and takes path style and any region unless told otherwise', () => {
  expect(parseS3Url('s3://engram/site-a/?endpoint=https://s3.example.org:9000')).toEqual({
    bucket: 'engram',
    prefix: 'site-a/',
    endpoint: 'https://s3.example.org:9000',
    region: 'us-east-1',
    pathStyle: true,
  });
  const told = parseS3Url('s3://engram?endpoint=https://s3.example.org&region=garage&path-style=false');
  expect(told).toMatchObject({ region: 'garage', pathStyle: false });
});

test.each([
  's3://key:secret@engram',
  's3://engram?endpoint=https://key:secret@s3.example.org',
  's3://engram?endpoint=s3.example.org',
  's3://engram?endpoint=ftp://s3.example.org',
  's3://engram?endpoint=https://s3.example.org/path',
  's3://engram?secretAccessKey=secret',
  's3://engram?path-style=yes',
  's3://UPPER',
  's3://a',
  's3:///key',
  's3:',
])('%s is refused, and nothing secret of it is repeated', (url) => {
  const refusal = (() => {
    try {
      return parseS3Url(url);
    } catch (error) {
      return error;
    }
  })();
  expect(refusal).toMatchObject({ code: 'CONFIG_INVALID', field: 'ENGRAM_OBJECTS_URL' });
  expect(String(refusal)).not.toContain(':secret');
});
