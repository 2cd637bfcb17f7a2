/** HAPI's FHIR R4 validator as a long-lived process, offline: loading the definitions takes longer than any validation. */
import { compileJava, java } from '../install/java.ts';
import { fetchJars } from '../install/maven.ts';
import { httpUrl } from '../run/http.ts';
import { HOST, type ServerDefinition } from '../server.ts';

const VERSION = '8.4.0';
const MAIN = 'FhirValidatorMain';
const ARTEFACTS = [
  'hapi-fhir-validation',
  'hapi-fhir-structures-r4',
  'hapi-fhir-validation-resources-r4',
  'hapi-fhir-caching-caffeine',
];

export const fhirValidator: ServerDefinition = {
  name: 'fhir-validator',
  version: VERSION,
  ports: ['http'],
  startupMs: 240_000,

  install: (folders, progress) =>
    fetchJars(
      [...ARTEFACTS.map((name) => `ca.uhn.hapi.fhir:${name}:${VERSION}`), 'org.slf4j:slf4j-simple:2.0.17'],
      folders,
      progress,
    ),

  async launch(place) {
    const { installed, ports } = place;
    const options = ['-Dorg.slf4j.simpleLogger.defaultLogLevel=warn'];
    const folders = [await compileJava([MAIN], installed)];
    return java(place, { main: MAIN, args: [HOST, String(ports['http'])], heapMb: 2048, options, folders });
  },

  /** The first validation loads every definition: afterwards it is quick. */
  async ready({ ports }) {
    const response = await fetch(httpUrl(ports['http'], '/'), {
      method: 'POST',
      body: JSON.stringify({ resourceType: 'Patient', gender: 'unheard-of' }),
      signal: AbortSignal.timeout(180_000),
    });
    const outcome = (await response.json()) as { issue?: { severity: string }[] };
    if (!outcome.issue?.some(({ severity }) => severity === 'error')) throw new Error('a wrong code was not found');
  },

  environment: ({ ports }) => ({ FHIR_VALIDATOR_URL: httpUrl(ports['http'], '/') }),
};
