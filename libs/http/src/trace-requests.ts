/**
 * One server span a request, continuing the caller's trace, named by the route's template: a raw path holds ids of
 * patients and studies (which is why Fastify's own instrumentation is not used).
 */
import { setSpanAttributes, withSpan, withTraceparent } from '@engram/telemetry';
import type { FastifyInstance, FastifyRequest } from 'fastify';

const PROBES = new Set(['/livez', '/readyz', '/startupz', '/metrics']);

export function traceRequests(app: FastifyInstance): void {
  const ended = new WeakMap<FastifyRequest, (status: number) => void>();

  // After the body is read: its stream's events belong to the socket and would drop the span's context.
  app.addHook('preValidation', (request, _reply, done) => {
    const route = request.routeOptions.url ?? 'unknown route';
    if (PROBES.has(route)) return done();
    const { promise, resolve } = Promise.withResolvers<number>();
    ended.set(request, resolve);
    const parent = request.headers['traceparent'];
    const attributes = { 'http.request.method': request.method, 'http.route': route };
    const work = async (): Promise<void> => {
      done();
      const status = await promise;
      setSpanAttributes({ 'http.response.status_code': status });
      if (status >= 500) setSpanAttributes({ 'error.type': String(status) });
    };
    withTraceparent(typeof parent === 'string' ? parent : undefined, () => {
      void withSpan(`${request.method} ${route}`, attributes, work, { kind: 'server' });
    });
  });

  app.addHook('onResponse', async (request, reply) => {
    ended.get(request)?.(reply.statusCode);
  });
}
