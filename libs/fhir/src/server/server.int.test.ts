import { createHmac } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { startTelemetry } from '@engram/telemetry';
import { hasSharedData, sharedData } from '@engram/testing';
import type { Bundle, ImagingStudy, ParametersParameter, Subscription } from '@medplum/fhirtypes';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { fhirConformance } from '../conformance.ts';
import { openEmbedded } from './embedded.fixture.ts';
import { EXTENSIONS } from './subscriptions/channel.ts';

type Embedded = Awaited<ReturnType<typeof openEmbedded>>;
const opened: Embedded[] = [];
async function open(options: Options = {}): Promise<Embedded> {
  const embedded = await openEmbedded(options);
  opened.push(embedded);
  return embedded;
}
type Options = NonNullable<globalThis.Parameters<typeof openEmbedded>[0]>;

let conforming: Embedded;
fhirConformance('the embedded server', async () => {
  conforming = await openEmbedded();
  return conforming;
});
afterAll(() => conforming?.close());
afterEach(async () => {
  for (const embedded of opened.splice(0)) await embedded.close();
});

const study = (more: Partial<ImagingStudy> = {}): ImagingStudy => ({
  resourceType: 'ImagingStudy',
  status: 'available',
  subject: { reference: 'Patient/p1' },
  ...more,
});
const get = async (url: string, init: RequestInit = {}) => {
  const response = await fetch(url, init);
  return { status: response.status, headers: response.headers, body: JSON.parse((await response.text()) || '{}') };
};

function parametersOf(bundle: Bundle): readonly ParametersParameter[] {
  const status = bundle.entry?.[0]?.resource;
  return status?.resourceType === 'Parameters' ? (status.parameter ?? []) : [];
}

describe('search', () => {
  test('what cannot be answered rightly is refused with 400, never answered with nothing', async () => {
    const { base, fhir } = await open();
    await fhir.create(study());
    for (const query of [
      'colour=red',
      '_has:Nope',
      '_type=Patient',
      '_text=x',
      'subject.name=x',
      'modality:in=x',
      '_sort=colour',
      '_cursor=x',
      '_count=-1',
    ]) {
      expect([query, (await get(`${base}/ImagingStudy?${query}`)).status]).toEqual([query, 400]);
    }
    expect((await get(`${base}/Observation?value-quantity=5`)).status).toBe(400);
  });

  test('chained and reverse chained parameters, includes, counts, elements and sorting', async () => {
    const { base, fhir } = await open();
    await fhir.update({ resourceType: 'Patient', id: 'p1', name: [{ family: 'Phantom' }] });
    await fhir.update({ resourceType: 'Patient', id: 'p2', name: [{ family: 'Other' }] });
    await fhir.create(study({ started: '2024-02-01' }));
    await fhir.create(study({ started: '2024-01-01' }));
    await fhir.create(study({ subject: { reference: 'Patient/p2' }, started: '2023-01-01' }));
    expect(await fhir.search('ImagingStudy', { 'subject:Patient.name': 'phantom' })).toHaveLength(2);
    expect(
      (await fhir.search('Patient', { '_has:ImagingStudy:patient:started': 'ge2024-01-01' })).map((p) => p.id),
    ).toEqual(['p1']);
    const bundle = await fhir.searchBundle('ImagingStudy', { patient: 'Patient/p1', _include: 'ImagingStudy:patient' });
    expect(bundle.entry?.map(({ search }) => search?.mode)).toEqual(['match', 'match', 'include']);
    const { body } = await get(`${base}/ImagingStudy?_summary=count`);
    expect([body.total, body.entry]).toEqual([3, undefined]);
    const sorted = await fhir.search('ImagingStudy', { _sort: '-started' });
    expect(sorted.map(({ started }) => started)).toEqual(['2024-02-01', '2024-01-01', '2023-01-01']);
    const [slim] = await fhir.search('ImagingStudy', { _elements: 'started', _sort: 'started' });
    expect(Object.keys(slim ?? {}).sort()).toEqual(['id', 'meta', 'resourceType', 'started']);
  });
});

describe('versions', () => {
  test('history is newest first however often it is read, and holds the deletion', async () => {
    const { base, fhir } = await open();
    await fhir.update({ ...study(), id: 's1' });
    await fhir.update({ ...study({ started: '2024-01-01' }), id: 's1' });
    await fhir.remove('ImagingStudy', 's1');
    const read = async () =>
      (await get(`${base}/ImagingStudy/s1/_history`)).body.entry.map(
        (e: { request: { method: string } }) => e.request.method,
      );
    expect([await read(), await read()]).toEqual([
      ['DELETE', 'PUT', 'POST'],
      ['DELETE', 'PUT', 'POST'],
    ]);
    expect((await get(`${base}/ImagingStudy/s1/_history/2`)).body.started).toBe('2024-01-01');
    expect((await get(`${base}/ImagingStudy/s1`)).status).toBe(410);
  });

  test('an unchanged update makes no version, a changed one the next', async () => {
    const { fhir } = await open();
    const first = await fhir.update({ ...study(), id: 's1' });
    const same = await fhir.update({ ...study(), id: 's1' });
    const next = await fhir.update({ ...study({ started: '2024' }), id: 's1' });
    expect([first, same, next].map(({ meta }) => meta?.versionId)).toEqual(['1', '1', '2']);
  });

  test('ETag, Location and the status say what was done', async () => {
    const { base } = await open();
    const put = () =>
      get(`${base}/ImagingStudy/s1`, {
        method: 'PUT',
        body: JSON.stringify({ ...study(), id: 's1' }),
        headers: { 'content-type': 'application/fhir+json' },
      });
    const [made, kept] = [await put(), await put()];
    expect([made.status, kept.status, kept.headers.get('etag')]).toEqual([201, 200, 'W/"1"']);
    expect((await get(`${base}/metadata`)).body).toMatchObject({
      resourceType: 'CapabilityStatement',
      fhirVersion: '4.0.1',
    });
    const broken = await get(`${base}/ImagingStudy`, {
      method: 'POST',
      body: '{',
      headers: { 'content-type': 'application/fhir+json' },
    });
    expect([broken.status, broken.body.resourceType]).toEqual([400, 'OperationOutcome']);
  });

  test('a restart keeps resources, tombstones and what subscribers were not told yet', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'engram-fhir-'));
    const database = `sqlite://${join(folder, 'fhir.db')}`;
    const first = await openEmbedded({ database, deliveryDelaysMs: [0, 0, 60_000] });
    first.answerWith(503);
    const { id = '' } = await first.fhir.create(
      subscription(first.endpoint, { channel: { type: 'rest-hook', endpoint: first.endpoint } }),
    );
    await expect.poll(async () => (await first.fhir.read('Subscription', id))?.status).toBe('active');
    await first.fhir.update({ ...study(), id: 's1' });
    await first.fhir.update({ ...study(), id: 's2' });
    await first.fhir.remove('ImagingStudy', 's2');
    await expect.poll(() => first.received().length).toBeGreaterThan(0);
    await first.app.close();
    first.answerWith(200);
    const before = first.received().length;
    const second = await open({ database, now: () => new Date(Date.now() + 120_000) });
    expect((await second.fhir.read('ImagingStudy', 's1'))?.id).toBe('s1');
    await expect(second.fhir.read('ImagingStudy', 's2')).rejects.toMatchObject({ code: 'FHIR_GONE' });
    // Two creations and one deletion, each told once more at least.
    await expect.poll(() => first.received().length, { timeout: 5000 }).toBe(before + 3);
    await first.close();
    rmSync(folder, { recursive: true });
  });
});

function subscription(endpoint: string, more: Partial<Subscription> = {}): Subscription {
  return {
    resourceType: 'Subscription',
    status: 'requested',
    reason: 'test',
    criteria: 'ImagingStudy',
    channel: { type: 'rest-hook', endpoint, payload: 'application/fhir+json' },
    ...more,
  };
}

describe('subscriptions', () => {
  async function activated(embedded: Embedded, wanted: Subscription): Promise<string> {
    const { id = '' } = await embedded.fhir.create(wanted);
    await expect.poll(async () => (await embedded.fhir.read('Subscription', id))?.status).toBe('active');
    return id;
  }

  test('signed: HMAC over the raw body, the interaction named, a deletion told with an empty object', async () => {
    const embedded = await open();
    const id = await activated(
      embedded,
      subscription(embedded.endpoint, {
        extension: [{ url: EXTENSIONS.secret, valueString: 'shh' }],
        channel: { type: 'rest-hook', endpoint: embedded.endpoint, header: ['X-Site: a'] },
      }),
    );
    await embedded.fhir.update({ ...study(), id: 's1' });
    await embedded.fhir.remove('ImagingStudy', 's1');
    await expect.poll(() => embedded.received().length).toBe(2);
    const [made, gone] = embedded.received();
    expect(made?.headers).toMatchObject({
      'x-medplum-subscription': id,
      'x-medplum-interaction': 'create',
      'x-site': 'a',
    });
    expect(made?.headers['x-signature']).toBe(
      createHmac('sha256', 'shh')
        .update(made?.body ?? '')
        .digest('hex'),
    );
    expect([gone?.body, gone?.headers['x-medplum-deleted-resource']]).toEqual(['{}', 'ImagingStudy/s1']);
  });

  test('HAPI’s dialect: PUT with the resource, and DELETE where the channel asks for it', async () => {
    const embedded = await open();
    const channel = { type: 'rest-hook' as const, endpoint: embedded.endpoint, payload: 'application/fhir+json' };
    const extension = [{ url: EXTENSIONS.sendDeletes, valueBoolean: true }];
    await activated(embedded, subscription('', { channel: { ...channel, extension } }));
    await embedded.fhir.update({ ...study(), id: 's1' });
    await embedded.fhir.remove('ImagingStudy', 's1');
    await expect
      .poll(() => embedded.received().map(({ method, path }) => `${method} ${path}`))
      .toEqual(['PUT /ImagingStudy/s1', 'DELETE /ImagingStudy/s1']);
  });

  test('without a payload an empty POST says that something changed', async () => {
    const embedded = await open();
    await activated(embedded, subscription('', { channel: { type: 'rest-hook', endpoint: embedded.endpoint } }));
    await embedded.fhir.create(study());
    await expect.poll(() => embedded.received().map(({ method, body }) => [method, body])).toEqual([['POST', '']]);
  });

  test.each(['empty', 'id-only', 'full-resource'] as const)(
    'Backport %s: handshake, numbered events, $status and $events',
    async (content) => {
      const embedded = await open();
      const wanted = {
        ...subscription(embedded.endpoint, { criteria: 'https://engram.dev/fhir/SubscriptionTopic/imaging-study' }),
        _criteria: { extension: [{ url: EXTENSIONS.filterCriteria, valueString: 'ImagingStudy?status=available' }] },
        channel: {
          type: 'rest-hook' as const,
          endpoint: embedded.endpoint,
          payload: 'application/fhir+json',
          _payload: { extension: [{ url: EXTENSIONS.payloadContent, valueCode: content }] },
        },
      };
      const id = await activated(embedded, wanted);
      await embedded.fhir.update({ ...study(), id: 's1' });
      await embedded.fhir.update({ ...study({ started: '2024' }), id: 's1' });
      await expect.poll(() => embedded.received().length).toBe(3);
      const bundles = embedded.received().map(({ body }): Bundle => JSON.parse(body));
      const status = bundles.map((bundle) => {
        const of = (name: string) => parametersOf(bundle).find((parameter) => parameter.name === name);
        const number = of('notification-event')?.part?.[0]?.valueString;
        return [of('type')?.valueCode, of('events-since-subscription-start')?.valueString, number];
      });
      expect(status).toEqual([
        ['handshake', '0', undefined],
        ['event-notification', '1', '1'],
        ['event-notification', '2', '2'],
      ]);
      const said = bundles[1]?.entry?.slice(1).map(({ fullUrl, resource }) => [fullUrl, resource?.resourceType]);
      const url = `${embedded.base}/ImagingStudy/s1`;
      expect(said).toEqual(content === 'empty' ? [] : [[url, content === 'id-only' ? undefined : 'ImagingStudy']]);
      const events: Bundle = (await get(`${embedded.base}/Subscription/${id}/$events?eventsSinceNumber=2`)).body;
      expect(parametersOf(events).filter(({ name }) => name === 'notification-event')).toHaveLength(1);
    },
  );

  test('an endpoint that never answers puts the subscription in error; re-activated it tells again', async () => {
    const embedded = await open({ deliveryDelaysMs: [0, 0] });
    const id = await activated(embedded, subscription(embedded.endpoint));
    embedded.answerWith(500);
    await embedded.fhir.create(study());
    await expect.poll(async () => (await embedded.fhir.read('Subscription', id))?.status).toBe('error');
    embedded.answerWith(200);
    const current = await embedded.fhir.read('Subscription', id);
    const { error: _, ...rest } = current ?? subscription('');
    await embedded.fhir.update({ ...rest, id, status: 'requested' });
    await expect.poll(async () => (await embedded.fhir.read('Subscription', id))?.status).toBe('active');
    const before = embedded.received().length;
    await embedded.fhir.create(study());
    await expect.poll(() => embedded.received().length).toBe(before + 1);
  });

  test('criteria that can never be judged are refused, not stored', async () => {
    const { fhir, endpoint } = await open();
    for (const criteria of ['ImagingStudy?colour=red', 'Nope?x=1', 'imaging']) {
      await expect(fhir.create(subscription(endpoint, { criteria })), criteria).rejects.toMatchObject({
        code: 'FHIR_INVALID',
      });
    }
    expect(await fhir.search('Subscription', {})).toEqual([]);
  });
});

const bundles = [1, 2].map((n) => sharedData('fhir', `bundle_${n}.json.gz`));
describe.skipIf(!hasSharedData)('public example bundles', () => {
  test.each(bundles)('a whole record is imported, and found again by its patient', async (file) => {
    const { fhir } = await open();
    const bundle: Bundle = JSON.parse(gunzipSync(readFileSync(file)).toString());
    const answer = await fhir.transaction(bundle);
    expect(answer.entry?.every(({ response }) => response?.status === '201')).toBe(true);
    const [patient] = await fhir.search('Patient', {});
    const wanted = bundle.entry?.filter(({ resource }) => resource?.resourceType === 'Observation').length;
    expect(await fhir.search('Observation', { patient: `Patient/${patient?.id}` })).toHaveLength(wanted ?? -1);
    expect(await fhir.search('ImagingStudy', { patient: `Patient/${patient?.id}` })).toHaveLength(1);
  });
});

test('a notification continues the trace of the write it tells of, and the next one its own', async () => {
  const telemetry = await startTelemetry({ service: 'test', exporter: 'memory' });
  const embedded = await open();
  const { id = '' } = await embedded.fhir.create(subscription(embedded.endpoint));
  await expect.poll(async () => (await embedded.fhir.read('Subscription', id))?.status).toBe('active');
  const traces = ['1'.repeat(32), '2'.repeat(32)];
  for (const trace of traces) {
    await fetch(`${embedded.base}/ImagingStudy`, {
      method: 'POST',
      body: JSON.stringify(study()),
      headers: { 'content-type': 'application/fhir+json', traceparent: `00-${trace}-${'a'.repeat(16)}-01` },
    });
  }
  await expect
    .poll(() => embedded.received().map(({ headers }) => String(headers['traceparent']).split('-')[1]))
    .toEqual(traces);
  await telemetry.shutdown();
});
