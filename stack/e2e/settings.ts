/** The environment of the platform: the same for an embedded run and a distributed one, but for the adapters. */
import { freePorts } from '../src/index.ts';

export const SERVICES = ['ingestion', 'preprocessing', 'feature-store', 'prediction', 'results'] as const;
export type ServiceName = (typeof SERVICES)[number];

/** Same secret, same FHIR base: same patient key, hence the same ids everywhere. */
export const SITE_SECRET = 'a-secret-of-the-end-to-end-test-and-no-site';

export type Ports = Readonly<Record<ServiceName | 'fhir', number>>;

export async function choosePorts(): Promise<Ports> {
  const names = [...SERVICES, 'fhir'] as const;
  const numbers = await freePorts(names.length);
  return Object.fromEntries(names.map((name, at) => [name, numbers[at]])) as Ports;
}

export const urlOf = (ports: Ports, name: keyof Ports): string => `http://127.0.0.1:${ports[name]}`;
export const fhirUrlOf = (ports: Ports): string => `${urlOf(ports, 'fhir')}/fhir`;

const variable = (name: keyof Ports): string => `ENGRAM_${name.replace('-', '_').toUpperCase()}`;

export interface PlatformSettings {
  readonly home: string;
  readonly ports: Ports;
  /** DICOMweb base URL. */
  readonly pacs: string;
}

export const platformEnvironment = ({ home, ports, pacs }: PlatformSettings): Record<string, string> => ({
  ENGRAM_HOME: home,
  ENGRAM_SITE_SECRET: SITE_SECRET,
  ENGRAM_ALLOW: pacs,
  ENGRAM_QUIET_S: '0',
  // Longer than any run: what happens happens because a notification came.
  ENGRAM_POLL_S: '3600',
  ENGRAM_LOG_LEVEL: 'info',
  ENGRAM_DEVICE: 'wasm',
  ...Object.fromEntries(
    Object.entries(ports).map(([name, port]) => [`${variable(name as keyof Ports)}_PORT`, String(port)]),
  ),
});
