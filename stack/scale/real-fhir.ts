/** A real FHIR server in a scale run: its patients and studies are put there, and every second it is asked what has changed. */
import { setTimeout as sleep } from 'node:timers/promises';
import { FHIR_URLS } from '@engram/contracts';
import { type FhirClient, openFhir } from '@engram/fhir';
import type { Resource } from '@medplum/fhirtypes';
import { checkEffects } from '../load/effects.ts';
import { admitPatients, type Scan, studyOf } from '../load/hospital.ts';
import type { HospitalServer } from './hospital-server.ts';

/** Seldom: a search costs the server more than many a write, and a resource says itself when it was written. */
const LOOK_EVERY_MS = 10_000;
/** Resources of one look. */
const MOST = 5_000;

export interface RealFhirOptions {
  /** FHIR base, as Engram sees it. */
  readonly url: string;
  readonly scans: readonly Scan[];
  readonly imageUrl: (scan: Scan) => string;
}

export function watchRealFhir({ url, scans, imageUrl }: RealFhirOptions): HospitalServer {
  const fhir = openFhir({ url, fetch });
  const reportedAt = new Map<string, number>();
  const status = new Map<string, string>();
  const reports = changesOf(fhir, 'DiagnosticReport');
  const studies = changesOf(fhir, 'ImagingStudy');
  const stop = new AbortController();

  async function look(): Promise<void> {
    for (const { imagingStudy = [], meta } of await reports()) {
      const at = Date.parse(meta?.lastUpdated ?? '');
      for (const { reference = '' } of imagingStudy) {
        const id = reference.replace(/^.*ImagingStudy\//, '');
        reportedAt.set(id, Math.min(at, reportedAt.get(id) ?? at));
      }
    }
    for (const { id = '', extension } of await studies()) {
      const said = extension?.find((one) => one.url === FHIR_URLS.preprocessingStatus)?.valueCode;
      if (said !== undefined) status.set(id, said);
    }
  }

  const looking = (async () => {
    while (!stop.signal.aborted) {
      await look().catch(() => undefined);
      await sleep(LOOK_EVERY_MS, undefined, { signal: stop.signal }).catch(() => undefined);
    }
  })();

  return {
    url,
    reportedAt: (studyId) => reportedAt.get(studyId),
    reportedCount: () => reportedAt.size,
    statusOf: (studyId) => status.get(studyId),
    admit: () => admitPatients(fhir, scans),
    post: async (scan) => void (await fhir.update(studyOf(scan, imageUrl(scan)))),
    check: (report, area, kafka) => checkEffects(report, area, { fhir, kafka, scans }),
    async close() {
      stop.abort();
      await looking;
    },
  };
}

type Watched = 'DiagnosticReport' | 'ImagingStudy';

/** @returns what asks for the resources of a type that changed since it was asked last; those of the same instant again. */
function changesOf<K extends Watched>(fhir: FhirClient, type: K) {
  let since = new Date(0).toISOString();
  return async () => {
    const changed = await fhir.search(type, { _lastUpdated: `ge${since}`, _sort: '_lastUpdated' }, MOST);
    const latest: Resource | undefined = changed.at(-1);
    since = latest?.meta?.lastUpdated ?? since;
    return changed;
  };
}
