import { HOST } from '../server.ts';

const TIMEOUT_MS = 5000;

export const httpUrl = (port: number | undefined, path = ''): string => `http://${HOST}:${port}${path}`;

/** The body of a 200. @throws when the server does not answer, or answers otherwise. */
export async function getJson(url: string): Promise<unknown> {
  const response = await fetch(url, {
    headers: { accept: 'application/json, application/fhir+json, application/dicom+json' },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const body = await response.text();
  if (response.status !== 200) throw new Error(`${new URL(url).pathname} answered ${response.status}`);
  return JSON.parse(body);
}
