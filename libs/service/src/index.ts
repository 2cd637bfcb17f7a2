/**
 * What every service's process does, so that a `main.ts` is a few lines.
 *
 * @example
 * await runService('results', async (deps) => createResults(resultsDeps(deps)));
 * @module
 */
export { type Adapters, openAdapters } from './adapters.ts';
export { atLeisure } from './at-leisure.ts';
export { OBJECTS_PATH, type ObjectUrls, objectUrls } from './object-urls.ts';
export { CONSUMERS, type Consumer, type Letter, type Operations, openOperations } from './operate.ts';
export { type PeerOptions, type Peers, peersOver } from './peers.ts';
export { dependencies, runService, type ServiceDeps, VERSION } from './run-service.ts';
export { type Service, type Serving, serve } from './serve.ts';
