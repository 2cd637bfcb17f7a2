/** `/livez` (the process answers), `/readyz` (what it needs answers), `/startupz` (it has started), `/metrics`. */
import { metricsText } from '@engram/telemetry';
import type { FastifyInstance } from 'fastify';

/** Throws or rejects when the thing is not usable. */
export type Check = () => void | Promise<void>;
export type Checks = Readonly<Record<string, Check>>;

/** Probes come often: an answer holds this long, so that a slow dependency is not made slower. */
const CACHE_MS = 2000;
const CHECK_LIMIT_MS = 5000;

type Results = Readonly<Record<string, 'ok' | 'failed'>>;

async function passes(check: Check): Promise<'ok' | 'failed'> {
  const { promise, resolve } = Promise.withResolvers<'failed'>();
  const timer = setTimeout(resolve, CHECK_LIMIT_MS, 'failed');
  try {
    return await Promise.race([Promise.resolve(check()).then(() => 'ok' as const), promise]);
  } catch {
    return 'failed';
  } finally {
    clearTimeout(timer);
  }
}

async function runAll(checks: Checks): Promise<Results> {
  const results = await Promise.all(
    Object.entries(checks).map(async ([name, check]) => [name, await passes(check)] as const),
  );
  return Object.fromEntries(results);
}

interface HealthOptions {
  readonly ready: Checks;
  readonly startup: Checks;
  readonly now?: () => number;
}

/** A dead dependency makes a service unready, never dead: restarting it would not bring the dependency back. */
export function addHealthRoutes(app: FastifyInstance, { ready, startup, now = Date.now }: HealthOptions): void {
  let closing = false;
  let started = false;
  let held: { readonly at: number; readonly results: Promise<Results> } | undefined;
  app.addHook('preClose', async () => {
    closing = true;
  });
  const open = { schema: { hide: true }, config: { open: true } };
  app.get('/livez', open, async () => ({ status: 'alive' }));
  app.get('/readyz', open, async (_request, reply) => {
    if (closing) return reply.code(503).send({ status: 'closing', checks: {} });
    if (!held || now() - held.at > CACHE_MS) held = { at: now(), results: runAll(ready) };
    const checks = await held.results;
    const isReady = Object.values(checks).every((result) => result === 'ok');
    return reply.code(isReady ? 200 : 503).send({ status: isReady ? 'ready' : 'not ready', checks });
  });
  app.get('/startupz', open, async (_request, reply) => {
    const checks = started ? {} : await runAll(startup);
    started = Object.values(checks).every((result) => result === 'ok');
    return reply.code(started ? 200 : 503).send({ status: started ? 'started' : 'starting', checks });
  });
  app.get('/metrics', { schema: { hide: true } }, async (_request, reply) =>
    reply.type('text/plain; version=0.0.4; charset=utf-8').send(await metricsText()),
  );
}
