/** Serves presigned URLs of the folder adapter: GET and HEAD with ranges, nothing without a valid signature. */
import { EngramError } from '@engram/errors';
import type { FastifyContextConfig, FastifyInstance } from 'fastify';
import { checkKey } from './key.ts';
import type { Objects } from './port.ts';
import { checkSignedUrl } from './signed-url.ts';

export interface ObjectsPluginOptions {
  readonly objects: Objects;
  readonly secret: string;
  /** Of the route: the signature is its proof, so an application's own check may be told to stand back. */
  readonly config?: FastifyContextConfig;
  readonly now?: () => number;
}

/**
 * @example await app.register(objectsPlugin, { prefix: '/objects', objects, secret });
 */
export async function objectsPlugin(
  app: FastifyInstance,
  { objects, secret, config = {}, now = Date.now }: ObjectsPluginOptions,
): Promise<void> {
  app.get<{ Params: { '*': string }; Querystring: { expires?: string; signature?: string } }>(
    '/*',
    { config },
    async (request, reply) => {
      const key = checkKey(request.params['*']);
      const { expires = '', signature = '' } = request.query;
      checkSignedUrl({ key, expires: Number(expires), secret }, String(signature), now());
      const info = await objects.head(key);
      if (!info) throw new EngramError('OBJECT_NOT_FOUND', 'there is no such object', { file: key });
      const range = parseRange(request.headers.range, info.bytes);
      void reply
        .type(info.contentType)
        .headers({ 'accept-ranges': 'bytes', etag: `"${info.sha256}"`, 'x-content-type-options': 'nosniff' });
      if (!range) return reply.header('content-length', info.bytes).send(await objects.stream(key));
      void reply.code(206).header('content-range', `bytes ${range.start}-${range.end}/${info.bytes}`);
      return reply.header('content-length', range.end - range.start + 1).send(await objects.stream(key, range));
    },
  );
}

/** One range of RFC 9110 §14.2; anything else is answered with the whole, as the RFC allows. */
function parseRange(header: string | undefined, bytes: number): { start: number; end: number } | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '');
  if (!match || bytes === 0) return undefined;
  const [, first = '', last = ''] = match;
  if (first === '' && last === '') return undefined;
  const start = first === '' ? Math.max(0, bytes - Number(last)) : Number(first);
  const end = first === '' || last === '' ? bytes - 1 : Math.min(Number(last), bytes - 1);
  return start < bytes && start <= end ? { start, end } : undefined;
}
