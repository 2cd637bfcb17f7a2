/**
 * Which of a scale run's requests go to a real FHIR server: those that name one of its patients or studies, or what was written for
 * them, and those that name nobody, such as a Subscription. The stand-in answers the others.
 */
import type { IncomingMessage } from 'node:http';
import type { Bundle, Resource } from '@medplum/fhirtypes';
import { SCAN_IDS, type Scan } from '../load/hospital.ts';
import { type Behind, STAND_IN_ID } from './fhir-stand-in.ts';

const PASSED_ON = ['accept', 'content-type', 'if-match', 'if-none-exist', 'prefer', 'cache-control'];

/** @param base FHIR base of the real server. */
export function realServerBehind(base: string, scans: readonly Scan[]): Behind {
  const own = new Set(scans.flatMap(({ patientId, studyId }) => [patientId, studyId]));
  /** `Type system|value` of what was written there. */
  const written = new Set<string>();

  function isOurs(url: URL, body: string): boolean {
    const named = `${decodeURIComponent(url.href)} ${body}`;
    const ids = named.match(SCAN_IDS) ?? [];
    if (ids.length > 0) return ids.some((id) => own.has(id));
    if (STAND_IN_ID.test(named)) return false;
    const asked = url.searchParams.get('identifier')?.split(',');
    const type = url.pathname.split('/').at(-1) ?? '';
    return asked === undefined || asked.some((one) => written.has(`${type} ${one}`));
  }

  return {
    async answer({ method = 'GET', url: path = '', headers }, body) {
      const url = new URL(path, base);
      if (!isOurs(url, body)) return undefined;
      if (method !== 'GET') for (const name of namesIn(JSON.parse(body) as Resource)) written.add(name);
      const response = await fetch(url, { method, headers: passedOn(headers), ...(body === '' ? {} : { body }) });
      const text = await response.text();
      // Links to further pages must lead to this server again.
      return { status: response.status, text: text.replaceAll(base, `http://${headers.host}/fhir`) };
    },
  };
}

const passedOn = (headers: IncomingMessage['headers']): Record<string, string> =>
  Object.fromEntries(PASSED_ON.flatMap((name) => (headers[name] === undefined ? [] : [[name, String(headers[name])]])));

function namesIn(resource: Resource): string[] {
  if (resource.resourceType === 'Bundle')
    return ((resource as Bundle).entry ?? []).flatMap(({ resource: one }) => (one === undefined ? [] : namesIn(one)));
  const identifiers = 'identifier' in resource ? [resource.identifier].flat() : [];
  return identifiers.map((one) => `${resource.resourceType} ${one?.system}|${one?.value}`);
}
