/** Where the FHIR server tells of changes: one endpoint for every form of notification. */
import type { App } from '@engram/http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Notice, parseNotification } from '../notification.ts';

export const NOTIFICATIONS = '/api/v1/notifications';
const BODY_LIMIT = 16 * 1024 * 1024;

/** Some servers take only a FHIR body for success. */
const TAKEN = {
  resourceType: 'OperationOutcome',
  issue: [{ severity: 'information', code: 'informational', diagnostics: 'the notification was taken in' }],
};

export interface NotificationDeps {
  readonly hear: (notice: Notice) => Promise<void>;
  /** Shared secret of signed notifications. */
  readonly secret?: string | undefined;
}

export async function addNotificationRoutes(app: App, { hear, secret }: NotificationDeps): Promise<void> {
  await app.register(async (scope) => {
    // A signature is over the bytes as they came.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: BODY_LIMIT }, (_request, body, done) =>
      done(null, body),
    );

    const answer = async (request: FastifyRequest, reply: FastifyReply, focus?: { type: string; id: string }) => {
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      await hear(parseNotification({ headers: request.headers, body, ...(focus ? { focus } : {}) }, secret));
      return reply.type('application/fhir+json').serializer(JSON.stringify).send(TAKEN);
    };
    scope.post(NOTIFICATIONS, { schema: { summary: 'Empty, resource or Backport bundle' } }, (request, reply) =>
      answer(request, reply),
    );
    scope.route({
      method: ['PUT', 'DELETE'],
      url: `${NOTIFICATIONS}/:type/:id`,
      schema: { summary: 'A changed or deleted resource' },
      handler: (request, reply) => answer(request, reply, request.params as { type: string; id: string }),
    });
  });
}
