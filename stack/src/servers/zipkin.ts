/** Zipkin: keeps traces in memory, answers by trace id. Takes Zipkin's own JSON, not OTLP. */
import { java } from '../install/java.ts';
import { fetchJars } from '../install/maven.ts';
import { getJson, httpUrl } from '../run/http.ts';
import { HOST, type ServerDefinition } from '../server.ts';

const VERSION = '3.5.1';
/** The executable jar's own: it holds Zipkin and what it needs. */
const MAIN = 'org.springframework.boot.loader.launch.JarLauncher';

export const zipkin: ServerDefinition = {
  name: 'zipkin',
  version: VERSION,
  ports: ['http'],
  startupMs: 240_000,

  install: (folders, progress) =>
    fetchJars([`io.zipkin:zipkin-server:${VERSION}:exec`], folders, progress, { transitive: false }),

  async launch(place) {
    const { ports } = place;
    // QUERY_PORT alone would listen on every address.
    const listen = { ip: HOST, port: ports['http'], protocols: 'http' };
    const args = Object.entries(listen).map(([key, value]) => `--armeria.ports[0].${key}=${value}`);
    return { ...java(place, { main: MAIN, args, heapMb: 384 }), env: { SELF_TRACING_ENABLED: 'false' } };
  },

  async ready({ ports }) {
    const services = await getJson(httpUrl(ports['http'], '/api/v2/services'));
    if (!Array.isArray(services)) throw new Error('the list of services is no list');
  },

  environment: ({ ports }) => ({ ZIPKIN_URL: httpUrl(ports['http']) }),
};
