/**
 * Stands for a hospital's FHIR server where a real one would be what is measured: it knows every patient and study by their
 * numbers, keeps what is written to a study, and counts all else by identifier. No more of FHIR than Engram asks of it. Some of
 * the patients may live on a real server that it hands requests on to.
 */
import assert from 'node:assert/strict';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Bundle, ImagingStudy, Resource } from '@medplum/fhirtypes';
import { patientOf, type Scan, scoreOf, studyOf } from '../load/hospital.ts';
import type { HospitalServer } from './hospital-server.ts';

interface Answer {
  readonly status: number;
  readonly body?: unknown;
}

/** A server that stands behind this one. */
export interface Behind {
  /** @returns undefined where the request is not of its patients. */
  answer(
    request: IncomingMessage,
    body: string,
  ): Promise<{ readonly status: number; readonly text: string } | undefined>;
}

/** A reference to what the stand-in made: no other server's ids look like it. */
export const STAND_IN_ID = /\/stand-in-\d+\b/;

const NOTHING: Bundle = { resourceType: 'Bundle', type: 'searchset', entry: [] };
const found = (...resources: readonly Resource[]): Bundle => ({
  resourceType: 'Bundle',
  type: 'searchset',
  entry: resources.map((resource) => ({ resource, search: { mode: 'match' } })),
});

export interface StandInOptions {
  readonly scans: readonly Scan[];
  readonly imageUrl: (scan: Scan) => string;
  readonly behind?: Behind | undefined;
}

export async function startFhirStandIn({ scans, imageUrl, behind }: StandInOptions): Promise<HospitalServer> {
  const byId = new Map(scans.flatMap((scan) => [[scan.patientId, scan] as const, [scan.studyId, scan] as const]));
  const scanOf = (id: string): Scan | undefined => byId.get(id);
  const studies = new Map<string, ImagingStudy & { id: string }>();
  const written = new Map<string, number>();
  const held = new Map<string, Held>();
  const reportedAt = new Map<string, number>();

  const study = (scan: Scan) => studies.get(scan.studyId) ?? versioned(studyOf(scan, imageUrl(scan)), 1);

  function read(type: string, id: string): Answer {
    const scan = scanOf(id);
    if (scan === undefined) return { status: 404 };
    if (type === 'Patient') return { status: 200, body: patientOf(scan) };
    if (type === 'ImagingStudy') return { status: 200, body: study(scan) };
    return { status: 404 };
  }

  /** Of a patient's resources only: a poll for what has changed finds nothing. */
  function search(type: string, query: URLSearchParams): Answer {
    const asked = query.get('identifier')?.split(',') ?? [];
    if (asked.length > 0)
      return { status: 200, body: found(...asked.flatMap((one) => held.get(`${type} ${one}`) ?? [])) };
    const ids = query.get('_id')?.split(',') ?? [];
    if (type === 'ImagingStudy' && ids.length > 0)
      return { status: 200, body: found(...ids.flatMap((id) => scanOf(id) ?? []).map(study)) };
    const scan = scanOf(query.get('patient')?.replace('Patient/', '') ?? '');
    if (scan === undefined) return { status: 200, body: NOTHING };
    if (type === 'ImagingStudy') return { status: 200, body: found(study(scan)) };
    const isOfScores = type === 'Observation' && query.get('code')?.includes('72106-8');
    return { status: 200, body: isOfScores ? found(scoreOf(scan)) : NOTHING };
  }

  /** One resource an identifier, however often it is written. */
  function write(resource: Resource, condition: string): Held {
    const name = `${resource.resourceType} ${new URLSearchParams(condition).get('identifier') ?? condition}`;
    const before = held.get(name);
    const id = before?.id ?? `stand-in-${held.size + 1}`;
    const made = {
      ...resource,
      id,
      meta: { ...resource.meta, versionId: String(Number(before?.meta?.versionId ?? 0) + 1) },
    };
    held.set(name, heldOf(made));
    written.set(name, (written.get(name) ?? 0) + 1);
    if (resource.resourceType === 'DiagnosticReport') {
      for (const { reference = '' } of resource.imagingStudy ?? []) {
        const studyId = reference.replace('ImagingStudy/', '');
        if (!reportedAt.has(studyId)) reportedAt.set(studyId, Date.now());
      }
    }
    return made;
  }

  const identifierOf = (resource: Resource): string => {
    const [first] = 'identifier' in resource && Array.isArray(resource.identifier) ? resource.identifier : [];
    return `identifier=${encodeURIComponent(`${first?.system}|${first?.value}`)}`;
  };

  function put(id: string | undefined, condition: string, resource: Resource, ifMatch: string | undefined): Answer {
    if (id === undefined) return { status: 200, body: write(resource, condition) };
    const scan = scanOf(id);
    if (resource.resourceType !== 'ImagingStudy' || scan === undefined) return { status: 404 };
    const current = study(scan).meta?.versionId ?? '1';
    if (ifMatch !== undefined && ifMatch !== `W/"${current}"`) return { status: 412 };
    const next = versioned({ ...resource, id }, Number(current) + 1);
    studies.set(id, next);
    return { status: 200, body: next };
  }

  const transaction = (bundle: Bundle): Answer => ({
    status: 200,
    body: {
      resourceType: 'Bundle',
      type: 'transaction-response',
      entry: (bundle.entry ?? []).map(({ resource, request }) => {
        const made = write(resource as Resource, identifierOf(resource as Resource));
        const status = request?.method === 'POST' ? '201 Created' : '200 OK';
        return { resource: made, response: { status, location: `${made.resourceType}/${made.id}` } };
      }),
    },
  });

  function answer(request: IncomingMessage, body: string): Answer {
    const url = new URL(request.url ?? '', 'http://stand-in');
    const [type = '', id] = url.pathname.replace(/^\/fhir\/?/, '').split('/');
    if (request.method === 'GET') return id === undefined ? search(type, url.searchParams) : read(type, id);
    const resource = JSON.parse(body) as Resource;
    if (request.method === 'PUT') return put(id, url.search.slice(1), resource, request.headers['if-match']);
    if (type === '') return transaction(resource as Bundle);
    const condition = String(request.headers['if-none-exist'] ?? JSON.stringify(resource));
    const there = held.get(`${resource.resourceType} ${new URLSearchParams(condition).get('identifier') ?? condition}`);
    return there === undefined ? { status: 201, body: write(resource, condition) } : { status: 200, body: there };
  }

  async function respond(request: IncomingMessage): Promise<{ status: number; text: string }> {
    const body = await text(request);
    const other = await behind?.answer(request, body);
    if (other !== undefined) return other;
    const { status, body: own } = answer(request, body);
    return { status, text: JSON.stringify(own ?? { resourceType: 'OperationOutcome', issue: [] }) };
  }

  const server = createServer((request, response) => {
    respond(request).then(
      ({ status, text }) => response.writeHead(status, { 'content-type': 'application/fhir+json' }).end(text),
      () => response.writeHead(400).end(),
    );
  });
  // Longer than a client keeps a connection: one that is closed as it is used again looks like a server that is away.
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/fhir`,
    reportedAt: (studyId) => reportedAt.get(studyId),
    reportedCount: () => reportedAt.size,
    statusOf: (studyId) =>
      studies.get(studyId)?.extension?.find(({ url }) => url.endsWith('/preprocessing-status'))?.valueCode,
    // Every patient and study that can be asked for is there.
    admit: async () => undefined,
    post: async () => undefined,
    async check(report, area) {
      await report.check(area, 'nothing is doubled: one report a scan, and nothing written again', () => {
        const names = [...written.keys()];
        const reports = names.filter((name) => name.startsWith('DiagnosticReport ')).length;
        assert.equal(reports, scans.length);
        return `${names.length} resources, ${[...written.values()].reduce((sum, one) => sum + one, 0)} writes`;
      });
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** What is asked for later; the whole of it would fill the memory. */
type Held = Resource & { readonly id: string; readonly meta: { readonly versionId: string } };

function heldOf(made: Held): Held {
  const { resourceType, id, meta } = made;
  const identifier = 'identifier' in made ? made.identifier : undefined;
  const extension = 'extension' in made ? made.extension : undefined;
  return { resourceType, id, meta, identifier, extension } as Held;
}

const versioned = (study: ImagingStudy & { id: string }, version: number) => ({
  ...study,
  meta: { ...study.meta, versionId: String(version) },
});
