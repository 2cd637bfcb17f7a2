/** Which paths exist with which methods, so that a known path with a wrong method answers 405 and not 404. */
import type { RouteOptions } from 'fastify';

export interface RouteTable {
  readonly add: (route: Pick<RouteOptions, 'url' | 'method'>) => void;
  /** Methods that the path answers to; empty when there is no such path. */
  readonly methodsOf: (path: string) => readonly string[];
}

/** `/studies/:id` and `/*` as an expression over whole paths. */
function patternOf(template: string): RegExp {
  const source = template
    .split('/')
    .map((part) => {
      if (part === '*') return '.*';
      return part.startsWith(':') ? '[^/]+' : part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    })
    .join('/');
  return new RegExp(`^${source}/?$`);
}

export function createRouteTable(): RouteTable {
  const routes = new Map<string, { readonly pattern: RegExp; readonly methods: Set<string> }>();
  return {
    add({ url, method }) {
      const known = routes.get(url) ?? { pattern: patternOf(url), methods: new Set<string>() };
      for (const name of [method].flat()) known.methods.add(name);
      routes.set(url, known);
    },
    methodsOf(path) {
      const found = [...routes.values()].filter(({ pattern }) => pattern.test(path));
      return [...new Set(found.flatMap(({ methods }) => [...methods]))].sort();
    },
  };
}
