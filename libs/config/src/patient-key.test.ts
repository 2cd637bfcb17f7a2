import { createHmac } from 'node:crypto';
import { patientKey as form } from '@engram/contracts';
import { expect, test } from 'vitest';
import { base32, patientKey } from './patient-key.ts';

// RFC 4648 section 10, in lower case and without padding.
test.each([
  ['', ''],
  ['f', 'my'],
  ['fo', 'mzxq'],
  ['foo', 'mzxw6'],
  ['foob', 'mzxw6yq'],
  ['fooba', 'mzxw6ytb'],
  ['foobar', 'mzxw6ytboi'],
])('base32 of %j is the RFC’s test vector', (text, encoded) => {
  expect(base32(Buffer.from(text))).toBe(encoded);
});

test('a patient key is the head of the encoded HMAC and has the contract’s form', () => {
  const key = patientKey('secret', 'https://fhir.example/r4', '1');
  const whole = base32(createHmac('sha256', 'secret').update('https://fhir.example/r4|1').digest());
  expect(whole.startsWith(key)).toBe(true);
  expect(form.parse(key)).toBe(key);
});

test('another secret, server or patient is another key; a trailing slash is not', () => {
  const base = 'https://fhir.example/r4';
  const keys = [
    patientKey('secret', base, '1'),
    patientKey('other', base, '1'),
    patientKey('secret', 'https://b.example/r4', '1'),
    patientKey('secret', base, '2'),
  ];
  expect(new Set(keys).size).toBe(4);
  expect(patientKey('secret', `${base}/`, '1')).toBe(keys[0]);
});
