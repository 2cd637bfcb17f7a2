/**
 * kafkajs 2.2.4 looks every millisecond, on every connection, whether a request waits in its queue, also while none does.
 * With this it looks while one waits.
 */
import { createRequire } from 'node:module';

interface RequestQueue {
  readonly pending: readonly unknown[];
  scheduleCheckPendingRequests(): void;
}

const { prototype } = createRequire(import.meta.url)('kafkajs/src/network/requestQueue') as { prototype: RequestQueue };
const look = prototype.scheduleCheckPendingRequests;

prototype.scheduleCheckPendingRequests = function lookIfAnyWaits(this: RequestQueue) {
  // Whoever queues a request calls this again.
  if (this.pending.length > 0) look.call(this);
};
