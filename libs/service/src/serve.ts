/** A service as its process sees it: an HTTP application and something to start and stop. */
import { type App, listen } from '@engram/http';

export interface Service {
  readonly app: App;
  /** Subscribes, polls, works. Called when the application listens, so that callbacks find it. */
  start(): Promise<void>;
  /** Stops taking work and waits for the work under way. Second time does no harm. */
  stop(): Promise<void>;
}

export interface Serving {
  readonly url: string;
  stop(): Promise<void>;
}

/** @throws PORT_TAKEN */
export async function serve(
  service: Service,
  binding: { readonly host: string; readonly port: number },
): Promise<Serving> {
  const url = await listen(service.app, binding);
  await service.start();
  return {
    url,
    async stop() {
      await service.stop();
      await service.app.close();
    },
  };
}
