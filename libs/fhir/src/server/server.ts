/** The embedded FHIR R4 server: Medplum's router over our store, with bundles, capabilities and Subscriptions of our own. */
import type { AddressInfo } from 'node:net';
import { type App, createApp, type Fetch } from '@engram/http';
import { type Database, openDatabase } from '@engram/records';
import { type Logger, silentLogger } from '@engram/telemetry';
import { allOk, badRequest, created, getStatus, normalizeOperationOutcome, notFound } from '@medplum/core';
import { FhirRouter, type HttpMethod } from '@medplum/fhir-router';
import type { Bundle, OperationOutcome, Resource, Subscription } from '@medplum/fhirtypes';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { capabilityStatement } from './capability.ts';
import { RecordsRepository } from './repository.ts';
import { openFhirStore, type Stored } from './store.ts';
import { dialectOf } from './subscriptions/channel.ts';
import { createDeliverer } from './subscriptions/deliver.ts';
import { backportBundle } from './subscriptions/notification.ts';
import { checkSubscription, openDeliveryQueue } from './subscriptions/queue.ts';
import { runBundle } from './transaction.ts';

export interface FhirServerDeps {
  /** `sqlite:///folder/fhir.db`, `sqlite::memory:`, or an opened database of which the server is the only user. */
  readonly database: string | Database;
  /** Reaches the subscribers. */
  readonly fetch: Fetch;
  /** Base URL that others know this server by; default: where it listens, with `/fhir`. */
  readonly base?: string;
  readonly token?: string | undefined;
  readonly version?: string;
  readonly logger?: Logger;
  readonly now?: () => Date;
  /** Waits between tries to tell a subscriber. */
  readonly deliveryDelaysMs?: readonly number[];
}

const PREFIX = '/fhir';
const BODY_LIMIT = 32 * 1024 * 1024;
const JSON_TYPES = ['application/fhir+json', 'application/json-patch+json'];

/**
 * FHIR below `/fhir`. Tells subscribers from `listen` to `close`.
 * @example
 * const app = await buildFhirServer({ database: 'sqlite::memory:', fetch });
 * const url = `${await listen(app, { port: 8090 })}/fhir`;
 */
export async function buildFhirServer(deps: FhirServerDeps): Promise<App> {
  const { token, version = '0.1.0', logger = silentLogger, now = () => new Date() } = deps;
  const database = typeof deps.database === 'string' ? openDatabase(deps.database) : deps.database;
  const app = await createApp({ service: 'fhir', version, token, bodyLimit: BODY_LIMIT, logger });
  const base = (): string => {
    if (deps.base) return deps.base.replace(/\/$/, '');
    const address = app.server.address() as AddressInfo | null;
    return address
      ? `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}${PREFIX}`
      : PREFIX;
  };
  const store = openFhirStore(database, now);
  // Written by a client, a Subscription starts as `requested`; only the server says `active` or `error`.
  store.onChange(({ resource, interaction }) => {
    if (resource.resourceType !== 'Subscription' || interaction === 'delete') return;
    if (resource.status === 'requested' || resource.status === 'active')
      checkSubscription(store, resource as Stored & Subscription);
    deliverer.wake();
  });
  const queue = openDeliveryQueue(database, store, () => deliverer.wake());
  const deliverer = createDeliverer({
    store,
    queue,
    fetch: deps.fetch,
    base,
    logger,
    now,
    ...(deps.deliveryDelaysMs ? { delaysMs: deps.deliveryDelaysMs } : {}),
  });
  const repository = new RecordsRepository(store, base);
  const router = new FhirRouter();

  app.removeContentTypeParser('application/json');
  app.addContentTypeParser(['application/json', ...JSON_TYPES], { parseAs: 'string' }, (_request, body, done) => {
    if (body === '') return done(null, undefined);
    try {
      done(null, JSON.parse(String(body)));
    } catch {
      done(null, Symbol('not JSON'));
    }
  });

  function send(reply: FastifyReply, outcome: OperationOutcome, resource?: Resource): FastifyReply {
    const versionId = resource?.meta?.versionId;
    if (versionId) reply.header('etag', `W/"${versionId}"`);
    if (resource?.meta?.lastUpdated) reply.header('last-modified', new Date(resource.meta.lastUpdated).toUTCString());
    if (outcome.id === created.id && resource?.id) {
      reply.header('location', `${base()}/${resource.resourceType}/${resource.id}/_history/${versionId ?? '1'}`);
    }
    return reply
      .code(getStatus(outcome))
      .type('application/fhir+json; charset=utf-8')
      .serializer(JSON.stringify)
      .send(resource ?? outcome);
  }

  async function handle(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const path = request.url.slice(PREFIX.length).replace(/^\/(?=\?|$)/, '');
    const body = request.body;
    if (typeof body === 'symbol') return send(reply, badRequest('The body is not JSON'));
    if (request.method === 'POST' && path === '') {
      try {
        const bundle = body as Bundle | undefined;
        if (bundle?.resourceType !== 'Bundle') return send(reply, badRequest('Expected a Bundle'));
        return send(reply, allOk, runBundle(store, repository, bundle));
      } catch (error) {
        return send(reply, normalizeOperationOutcome(error));
      }
    }
    const before = request.method === 'PUT' && repositoryHas(path);
    const [outcome, resource] = await router.handleRequest(
      {
        method: request.method as HttpMethod,
        url: path.replace(/^\//, ''),
        pathname: '',
        params: {},
        query: request.query as Record<string, string | string[] | undefined>,
        body: body ?? {},
        headers: request.headers,
      },
      repository,
    );
    const made = request.method === 'PUT' && outcome.id === 'ok' && !before && !path.includes('?');
    return send(reply, made ? created : outcome, resource);
  }

  const repositoryHas = (path: string): boolean => {
    const [type = '', id = ''] = path.replace(/^\//, '').split(/[/?]/);
    return store.read(type, id) !== undefined;
  };

  app.get(`${PREFIX}/metadata`, { schema: { hide: true }, config: { open: true } }, (_request, reply) =>
    send(reply, allOk, capabilityStatement(base(), version, now().toISOString())),
  );

  app.get(`${PREFIX}/Subscription/:id/:operation`, { schema: { hide: true } }, async (request, reply) => {
    const { id, operation } = request.params as { id: string; operation: string };
    const subscription = store.read('Subscription', id) as (Stored & Subscription) | undefined;
    const dialect = subscription && dialectOf(subscription);
    if (operation === '_history') return handle(request, reply);
    if (dialect?.kind !== 'backport' || !subscription || !['$status', '$events'].includes(operation)) {
      return send(reply, notFound);
    }
    const { eventsSinceNumber, eventsUntilNumber } = request.query as Record<string, string | undefined>;
    const count = queue.count(id);
    const from = Number(eventsSinceNumber ?? 1);
    const to = Math.min(Number(eventsUntilNumber ?? count), from + 999);
    const events = operation === '$events' ? queue.events(id, from, to) : [];
    const type = operation === '$events' ? 'query-event' : 'query-status';
    const bundle = backportBundle(subscription, dialect, type, events, count, base(), now().toISOString());
    const answer: Bundle = operation === '$events' ? bundle : { ...bundle, type: 'searchset' };
    return send(reply, allOk, answer);
  });

  app.route({
    method: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
    url: `${PREFIX}/*`,
    schema: { hide: true },
    handler: handle,
  });
  app.route({ method: ['GET', 'POST'], url: PREFIX, schema: { hide: true }, handler: handle });

  app.addHook('onListen', async () => deliverer.start());
  app.addHook('preClose', () => deliverer.stop());
  app.addHook('onClose', async () => {
    if (typeof deps.database === 'string') database.close();
  });
  return app;
}
