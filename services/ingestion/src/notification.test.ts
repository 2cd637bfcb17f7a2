import { createHmac } from 'node:crypto';
import { FHIR_URLS } from '@engram/contracts';
import type { ImagingStudy } from '@medplum/fhirtypes';
import { describe, expect, test } from 'vitest';
import { hasGap } from './hear.ts';
import { parseNotification } from './notification.ts';
import { fingerprintOf, studyUidOf, studyVersionOf } from './study-digest.ts';

const body = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
const study = { resourceType: 'ImagingStudy', id: '17' };
const focus = { type: 'ImagingStudy', id: '17' };

describe('the forms of a notification', () => {
  test.each([
    ['an empty POST', { headers: {}, body: body('') }, { kind: 'search' }],
    ['a PUT of a resource', { headers: {}, body: body('anything'), focus }, { kind: 'resources', focuses: [focus] }],
    ['a POST of a resource', { headers: {}, body: body(study) }, { kind: 'resources', focuses: [focus] }],
    [
      'a deletion',
      { headers: { 'x-medplum-deleted-resource': 'ImagingStudy/17' }, body: body('{}') },
      { kind: 'resources', focuses: [focus] },
    ],
    ['an object that names nothing', { headers: {}, body: body('{}') }, { kind: 'search' }],
  ])('%s', (_name, request, notice) => {
    expect(parseNotification(request)).toEqual(notice);
  });

  const signed = (text: string, secret: string) => createHmac('sha256', secret).update(text).digest('hex');
  test('a signature is over the raw bytes, spaces included', () => {
    const text = '{"resourceType": "ImagingStudy",  "id":"17"}';
    const request = (signature: string) => ({ headers: { 'x-signature': signature }, body: body(text) });
    expect(parseNotification(request(signed(text, 'shh')), 'shh')).toEqual({ kind: 'resources', focuses: [focus] });
    for (const wrong of [
      signed(text, 'other'),
      signed(JSON.stringify(JSON.parse(text)), 'shh'),
      '',
      'zz',
      '0'.repeat(64),
    ]) {
      expect(() => parseNotification(request(wrong), 'shh')).toThrow(
        expect.objectContaining({ code: 'SIGNATURE_INVALID' }),
      );
    }
    expect(() => parseNotification({ headers: { 'x-medplum-subscription': 's' }, body: body(text) }, 'shh')).toThrow(
      /sign/,
    );
  });

  const backport = (type: string, count: string, numbers: string[] = [], reference?: string) => ({
    resourceType: 'Bundle',
    type: 'history',
    entry: [
      {
        resource: {
          resourceType: 'Parameters',
          parameter: [
            { name: 'subscription', valueReference: { reference: 'https://ehr/fhir/Subscription/x' } },
            { name: 'type', valueCode: type },
            { name: 'events-since-subscription-start', valueString: count },
            ...numbers.map((valueString) => ({
              name: 'notification-event',
              part: [
                { name: 'event-number', valueString },
                ...(reference ? [{ name: 'focus', valueReference: { reference } }] : []),
              ],
            })),
          ],
        },
      },
      ...(reference ? [{ fullUrl: `https://ehr/fhir/${reference}` }] : []),
    ],
  });

  test('a Backport bundle’s counters are strings and its focus comes once', () => {
    expect(
      parseNotification({ headers: {}, body: body(backport('event-notification', '3', ['3'], 'ImagingStudy/17')) }),
    ).toEqual({
      kind: 'backport',
      subscription: 'https://ehr/fhir/Subscription/x',
      type: 'event-notification',
      count: 3,
      numbers: [3],
      focuses: [focus],
    });
  });

  test.each([
    ['the next event', 2, 'event-notification', '3', ['3'], 'ImagingStudy/17', false],
    ['a repeated event', 5, 'event-notification', '3', ['3'], 'ImagingStudy/17', false],
    ['an event missing before it', 1, 'event-notification', '3', ['3'], 'ImagingStudy/17', true],
    ['the first ever heard is the third', undefined, 'event-notification', '3', ['3'], 'ImagingStudy/17', true],
    ['an event that names nothing', 2, 'event-notification', '3', ['3'], undefined, true],
    ['a heartbeat that counts more', 2, 'heartbeat', '3', [], undefined, true],
    ['a heartbeat that counts the same', 3, 'heartbeat', '3', [], undefined, false],
    ['a handshake', undefined, 'handshake', '0', [], undefined, false],
  ])('%s: gap?', (_name, heard, type, count, numbers, reference, gap) => {
    const notice = parseNotification({ headers: {}, body: body(backport(type, count, numbers, reference)) });
    expect(notice.kind === 'backport' && hasGap(heard, notice)).toBe(gap);
  });

  test.each([
    '[]',
    '"text"',
    '{"resourceType":"Bundle","type":"searchset"}',
    '{"resourceType":"Bundle","type":"history","entry":[]}',
    '{"resourceType":"../x","id":"1"}',
    '{"resourceType":"Patient","id":"../../x"}',
    '{',
  ])('%s is refused', (text) => {
    expect(() => parseNotification({ headers: {}, body: body(text) })).toThrow(
      expect.objectContaining({ code: 'NOTIFICATION_INVALID' }),
    );
  });
});

describe('digests of a study', () => {
  const one = { series_uid: '1.1', instances: ['1.1.1', '1.1.2'], count: 2 };
  const two = { series_uid: '1.2', instances: ['1.2.1'], count: 1 };
  test('order and repeats do not count; an instance or series more does', () => {
    const version = studyVersionOf([one, two]);
    expect(studyVersionOf([two, { ...one, instances: ['1.1.2', '1.1.1', '1.1.2'] }])).toBe(version);
    expect(studyVersionOf([two, { ...one, instances: ['1.1.1'] }])).not.toBe(version);
    expect(studyVersionOf([one])).not.toBe(version);
    expect(version).toMatch(/^[0-9a-f]{16}$/);
  });

  const base: ImagingStudy = { resourceType: 'ImagingStudy', status: 'available', subject: { reference: 'Patient/1' } };
  test('meta and what Engram writes do not count; where the images lie does', () => {
    const print = fingerprintOf(base);
    const extension = [
      { url: FHIR_URLS.preprocessingStatus, valueCode: 'completed' },
      { url: FHIR_URLS.preprocessedFeaturesUrl, valueUrl: 'https://a' },
    ];
    expect(fingerprintOf({ ...base, meta: { versionId: '7' }, extension })).toBe(print);
    expect(fingerprintOf({ ...base, extension: [{ url: FHIR_URLS.imageUrl, valueUrl: 'https://a' }] })).not.toBe(print);
    expect(fingerprintOf({ ...base, started: '2024' })).not.toBe(print);
  });

  test.each([
    ['urn:dicom:uid', 'urn:oid:1.2.3'],
    ['urn:dicom:uid', '1.2.3'],
    ['urn:ietf:rfc:3986', 'urn:oid:1.2.3'],
  ])('the study UID is read under %s as %s', (system, value) => {
    expect(
      studyUidOf({
        ...base,
        identifier: [
          { system: 'x', value: '9' },
          { system, value },
        ],
      }),
    ).toBe('1.2.3');
  });

  test('without a UID, or with one that is none, the study is refused by name', () => {
    const missing = expect.objectContaining({ code: 'STUDY_UID_MISSING' });
    expect(() => studyUidOf(base)).toThrow(missing);
    expect(() => studyUidOf({ ...base, identifier: [{ system: 'urn:dicom:uid', value: 'urn:uuid:9' }] })).toThrow(
      missing,
    );
  });
});
