/** HAPI FHIR's JPA server, R4, with rest-hook Subscriptions. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { compileJava, java } from '../install/java.ts';
import { fetchJars } from '../install/maven.ts';
import { getJson, httpUrl } from '../run/http.ts';
import { HOST, type ServerDefinition } from '../server.ts';

const VERSION = '8.8.0';
const MAIN = 'FhirServerMain';

export const hapi: ServerDefinition = {
  name: 'hapi',
  version: VERSION,
  ports: ['http'],
  startupMs: 300_000,

  install: (folders, progress) =>
    fetchJars(
      [
        `ca.uhn.hapi.fhir:hapi-fhir-jpaserver-base:${VERSION}`,
        'com.h2database:h2:2.3.232',
        'org.eclipse.jetty.ee10:jetty-ee10-servlet:12.0.16',
        'ch.qos.logback:logback-classic:1.5.16',
      ],
      folders,
      progress,
    ),

  async launch(place) {
    const { installed, dir, ports } = place;
    const logging = join(dir, 'logging');
    await mkdir(logging, { recursive: true });
    await writeFile(join(logging, 'logback.xml'), LOGGING);
    const folders = [logging, await compileJava([MAIN], installed)];
    const args = [HOST, String(ports['http']), join(dir, 'data')];
    return java(place, { main: MAIN, args, heapMb: 768, folders });
  },

  async ready(place) {
    const statement = (await getJson(`${urlOf(place)}/metadata`)) as { fhirVersion?: string };
    if (statement.fhirVersion !== '4.0.1') throw new Error('the capability statement is not of R4');
  },

  environment: (place) => ({ FHIR_URL: urlOf(place) }),
};

const urlOf = ({ ports }: { ports: Readonly<Record<string, number>> }): string => httpUrl(ports['http'], '/fhir');

const LOGGING = `<configuration>
  <appender name="C" class="ch.qos.logback.core.ConsoleAppender">
    <encoder><pattern>%d %-5level %logger{20} %msg%n</pattern></encoder>
  </appender>
  <root level="WARN"><appender-ref ref="C"/></root>
</configuration>
`;
