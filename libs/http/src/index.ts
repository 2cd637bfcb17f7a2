/**
 * The HTTP application every service starts from, and guarded outgoing requests.
 *
 * @example
 * const app = await createApp({ service: 'results', version: '0.1.0' });
 * const url = await listen(app, { port: 8080 });
 * const fetch = guardedFetch({ allow: parseAllowList(['https://pacs.example']) });
 * @module
 */
export {
  type AllowList,
  allowedBucket,
  allowedPath,
  allowedWebUrl,
  checkAllowed,
  parseAllowList,
} from './allow-list.ts';
export { type App, type AppOptions, createApp, type TlsFiles } from './app.ts';
export { checkBearer } from './bearer-token.ts';
export { type Fetch, type FetchInit, type GuardOptions, guardedFetch } from './guarded-fetch.ts';
export type { Check, Checks } from './health.ts';
export { type Binding, checkBinding, isLoopback, listen, type Protection } from './listen.ts';
export { PROBLEM_TYPE, problemOf, sendProblem } from './problem.ts';
