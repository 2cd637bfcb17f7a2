/** The HTTP application every service starts from. */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { EngramError } from '@engram/errors';
import { type Logger, silentLogger } from '@engram/telemetry';
import swagger from '@fastify/swagger';
import { type FastifyInstance, type FastifyPluginCallback, fastify } from 'fastify';
import {
  jsonSchemaTransform,
  serializerCompiler,
  validatorCompiler,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod';
import { checkBearer } from './bearer-token.ts';
import { addHealthRoutes, type Checks } from './health.ts';
import { sendProblem } from './problem.ts';
import { createRouteTable } from './route-table.ts';
import { traceRequests } from './trace-requests.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Answers without the bearer token: probes, pages, and routes with a proof of their own. */
    open?: boolean;
  }
}

export interface TlsFiles {
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
}

export interface AppOptions {
  /** `ingestion`, `results`, …: the title of the OpenAPI document. */
  readonly service: string;
  readonly version: string;
  /** Bearer token asked of every route that is not marked `config: { open: true }`; none = no check. */
  readonly token?: string | undefined;
  readonly tls?: TlsFiles | undefined;
  /** What must answer before `/readyz` says yes. */
  readonly ready?: Checks;
  /** What must have happened before `/startupz` says yes. */
  readonly startup?: Checks;
  /** Bytes of a request body. Default 1 MiB. */
  readonly bodyLimit?: number;
  readonly logger?: Logger;
}

export type App = ReturnType<typeof withZod>;

const REQUEST_ID = /^[A-Za-z0-9._-]{8,64}$/;
const REQUEST_TIMEOUT_MS = 60_000;

const withZod = (app: FastifyInstance) => app.withTypeProvider<ZodTypeProvider>();

/**
 * Fastify with zod schemas, problem+json errors by our catalogue, request ids, a bearer token where one is configured,
 * probes, metrics, OpenAPI 3.1 at `/openapi.json`, and one span a request. Routes are added to what it returns.
 *
 * @example
 * const app = await createApp({ service: 'results', version: '0.1.0', ready: { bus: () => pingBus() } });
 * app.get('/api/v1/runs/:id', { schema: { params: z.object({ id: z.string() }) } }, async ({ params }) => view(params.id));
 */
export async function createApp(options: AppOptions): Promise<App> {
  const { service, version, token, tls, ready = {}, startup = {}, logger = silentLogger } = options;
  const app = fastify({
    logger: false,
    bodyLimit: options.bodyLimit ?? 1024 * 1024,
    forceCloseConnections: 'idle',
    genReqId: (request) => {
      const given = request.headers['x-request-id'];
      return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
    },
    routerOptions: { maxParamLength: 512 },
    serverFactory: (handler) => {
      const server = tls ? createTlsServer({ cert: tls.cert, key: tls.key }, handler) : createServer(handler);
      server.requestTimeout = REQUEST_TIMEOUT_MS;
      return server;
    },
  });
  const routes = createRouteTable();
  app.addHook('onRoute', routes.add);
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);

  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
    reply.header('x-content-type-options', 'nosniff');
    if (token === undefined || request.routeOptions.config.open === true) return;
    checkBearer(request.headers.authorization, token);
  });
  traceRequests(app);

  app.setErrorHandler((error, request, reply) => {
    sendProblem(request, reply, error);
    const route = request.routeOptions.url;
    const fields = { err: error, method: request.method, route, http_status: reply.statusCode };
    if (reply.statusCode >= 500) logger.error('a request failed', fields);
    else logger.debug('a request was refused', fields);
  });
  app.setNotFoundHandler((request, reply) => {
    const methods = routes.methodsOf(request.url.split('?', 1)[0] ?? '/');
    if (methods.length === 0) {
      return sendProblem(request, reply, new EngramError('NOT_FOUND', 'there is no such path; see /openapi.json'));
    }
    const detail = `${request.method} is not allowed here; allowed: ${methods.join(', ')}`;
    return sendProblem(
      request,
      reply.header('allow', methods.join(', ')),
      new EngramError('METHOD_NOT_ALLOWED', detail),
    );
  });

  await app.register(swagger as FastifyPluginCallback<Parameters<typeof swagger>[1]>, {
    openapi: { openapi: '3.1.0', info: { title: `Engram ${service}`, version } },
    transform: jsonSchemaTransform,
  });
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
  addHealthRoutes(app, { ready, startup });
  return withZod(app);
}
