/** What an operator looks at: reviews that a person must settle, and the five dashboard figures. */
import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { figuresOf } from '../figures.ts';
import type { Storage } from '../storage.ts';
import type { ResultsStore } from '../store.ts';

const page = z.object({ limit: z.coerce.number().int().min(1).max(500).default(100), cursor: z.string().optional() });

export function operationsRoutes(
  instance: FastifyInstance,
  { store, storage }: { readonly store: ResultsStore; readonly storage: Storage },
): void {
  const app = instance.withTypeProvider<ZodTypeProvider>();

  app.get('/api/v1/reviews', { schema: { querystring: page } }, async (request) => {
    const { limit, cursor } = request.query;
    const found = await store.reviews.find({ orderBy: [['at', 'desc']], limit, ...(cursor ? { cursor } : {}) });
    return { reviews: found.records.map((record) => record.value), next: found.next };
  });

  app.get('/api/v1/figures', async () => figuresOf(store, await storage.size()));
}
