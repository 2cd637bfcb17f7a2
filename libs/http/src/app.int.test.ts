import { createServer } from 'node:http';
import { EngramError } from '@engram/errors';
import { startTelemetry } from '@engram/telemetry';
import { afterEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type App, type AppOptions, createApp, listen } from './index.ts';

const opened: App[] = [];
async function make(options: Partial<AppOptions> = {}): Promise<App> {
  const app = await createApp({ service: 'test', version: '0.0.0', ...options });
  opened.push(app);
  app.get('/scans/:id', { schema: { params: z.object({ id: z.string() }) } }, async ({ params }) => ({
    id: params.id,
  }));
  app.post('/scans', { schema: { body: z.object({ role: z.enum(['t1', 'pet']) }) } }, async ({ body }) => body);
  app.get('/fails', async () => {
    throw new Error('the patient is called Nobody');
  });
  app.get('/refuses', async () => {
    throw new EngramError('RUN_NOT_FOUND', 'there is no run r-1', { field: 'id' });
  });
  return app;
}
afterEach(async () => {
  for (const app of opened.splice(0)) await app.close();
});

describe('errors', () => {
  test('a coded error answers with its status, type, field and the trace of the caller', async () => {
    const app = await make();
    const trace = 'a'.repeat(32);
    const answer = await app.inject({ url: '/refuses', headers: { traceparent: `00-${trace}-${'b'.repeat(16)}-01` } });
    expect(answer.statusCode).toBe(404);
    expect(answer.headers['content-type']).toBe('application/problem+json');
    expect(answer.json()).toMatchObject({
      type: 'https://engram.dev/docs/errors.md#run_not_found',
      code: 'RUN_NOT_FOUND',
      status: 404,
      field: 'id',
      trace_id: trace,
    });
  });

  test('what an unforeseen error says does not leave the process', async () => {
    const answer = await (await make()).inject('/fails');
    expect(answer.statusCode).toBe(500);
    expect(answer.json().code).toBe('INTERNAL');
    expect(answer.body).not.toContain('Nobody');
  });

  test('a body that does not fit its schema is refused by the name of its field', async () => {
    const app = await make();
    const answer = await app.inject({ method: 'POST', url: '/scans', payload: { role: 'ct' } });
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({ code: 'REQUEST_INVALID', field: 'role' });
    const broken = await app.inject({
      method: 'POST',
      url: '/scans',
      headers: { 'content-type': 'application/json' },
      payload: '{',
    });
    expect([broken.statusCode, broken.json().code]).toEqual([400, 'REQUEST_INVALID']);
  });

  test('a body over the limit and a foreign media type are refused', async () => {
    const app = await make({ bodyLimit: 100 });
    const large = await app.inject({ method: 'POST', url: '/scans', payload: { role: 'x'.repeat(200) } });
    const odd = await app.inject({
      method: 'POST',
      url: '/scans',
      headers: { 'content-type': 'application/x-odd' },
      payload: 'a',
    });
    expect([large.statusCode, odd.statusCode]).toEqual([413, 415]);
  });

  test('a known path with another method is 405 with the allowed ones, an unknown path 404', async () => {
    const app = await make();
    const wrong = await app.inject({ method: 'DELETE', url: '/scans/7?x=1' });
    expect([wrong.statusCode, wrong.json().code, wrong.headers['allow']]).toEqual([
      405,
      'METHOD_NOT_ALLOWED',
      'GET, HEAD',
    ]);
    expect((await app.inject('/nowhere')).statusCode).toBe(404);
  });
});

describe('the bearer token', () => {
  const url = '/scans/7';
  test.each([
    ['absent', {}],
    ['wrong', { authorization: 'Bearer other' }],
    ['of another scheme', { authorization: 'Basic secret' }],
    ['longer', { authorization: 'Bearer secrets' }],
    ['empty', { authorization: 'Bearer ' }],
  ])('%s is refused', async (_name, headers) => {
    const answer = await (await make({ token: 'secret' })).inject({ url, headers });
    expect([answer.statusCode, answer.json().code]).toEqual([401, 'UNAUTHORISED']);
    expect(answer.headers['www-authenticate']).toBe('Bearer');
  });

  test('right, it lets in; probes are open without it, metrics are not', async () => {
    const app = await make({ token: 'secret' });
    const authorization = 'Bearer secret';
    expect((await app.inject({ url, headers: { authorization } })).json()).toEqual({ id: '7' });
    expect((await app.inject('/livez')).statusCode).toBe(200);
    expect((await app.inject('/metrics')).statusCode).toBe(401);
  });
});

describe('probes', () => {
  test('a failing dependency makes the service unready by name, never dead', async () => {
    const app = await make({
      ready: {
        bus: () => Promise.reject(new Error('down')),
        objects: () => {},
      },
    });
    const ready = await app.inject('/readyz');
    expect([ready.statusCode, ready.json().checks]).toEqual([503, { bus: 'failed', objects: 'ok' }]);
    expect((await app.inject('/livez')).statusCode).toBe(200);
  });

  test('startup is remembered once it has passed', async () => {
    let loaded = false;
    const app = await make({
      startup: {
        model: () => {
          if (!loaded) throw new Error('not yet');
        },
      },
    });
    expect((await app.inject('/startupz')).statusCode).toBe(503);
    loaded = true;
    expect((await app.inject('/startupz')).statusCode).toBe(200);
    loaded = false;
    expect((await app.inject('/startupz')).statusCode).toBe(200);
  });
});

test('the OpenAPI document is 3.1 and holds the routes with their schemas, not the probes', async () => {
  const document = (await (await make()).inject('/openapi.json')).json();
  expect(document.openapi).toBe('3.1.0');
  expect(Object.keys(document.paths)).toEqual(['/scans/{id}', '/scans', '/fails', '/refuses']);
  expect(JSON.stringify(document.paths['/scans'])).toContain('"pet"');
});

test('a span continues the caller’s trace under the template’s name and holds no id', async () => {
  const telemetry = await startTelemetry({ service: 'test', exporter: 'memory' });
  const app = await make();
  const trace = 'c'.repeat(32);
  const headers = { traceparent: `00-${trace}-${'d'.repeat(16)}-01` };
  await app.inject({ url: '/scans/MRN-0815?name=secret', headers });
  await app.inject({ method: 'POST', url: '/scans', headers, payload: { role: 'pet' } });
  await app.close();
  const spans = telemetry.spans();
  expect(spans.map((span) => span.name)).toEqual(['GET /scans/:id', 'POST /scans']);
  expect(spans.map((span) => span.spanContext().traceId)).toEqual([trace, trace]);
  const shown = JSON.stringify(spans.map((span) => span.attributes));
  expect(shown).toContain('"http.response.status_code":200');
  expect(shown).not.toMatch(/0815|secret/);
  await telemetry.shutdown();
});

test('a taken port is a plain refusal that names it', async () => {
  const other = createServer();
  const port = await new Promise<number>((resolve) => {
    other.listen(0, '127.0.0.1', () => {
      const address = other.address();
      resolve(typeof address === 'object' && address ? address.port : 0);
    });
  });
  const app = await make();
  await expect(listen(app, { port })).rejects.toMatchObject({
    code: 'PORT_TAKEN',
    message: expect.stringContaining(String(port)),
  });
  other.close();
});

test('listening and closing leave nothing behind', async () => {
  const app = await make();
  const url = await listen(app, { port: 0 });
  expect(await (await fetch(`${url}/scans/1`)).json()).toEqual({ id: '1' });
  await app.close();
  await expect(fetch(`${url}/scans/1`)).rejects.toThrow();
});
