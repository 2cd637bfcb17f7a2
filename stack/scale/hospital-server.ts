/** A hospital's FHIR server as a scale run sees it: some of its patients live on a real server, the others on the stand-in. */
import type { Report } from '../e2e/report.ts';
import type { Scan } from '../load/hospital.ts';
import { startFhirStandIn } from './fhir-stand-in.ts';
import { realServerBehind } from './real-behind.ts';
import { watchRealFhir } from './real-fhir.ts';

export interface HospitalServer {
  /** FHIR base. */
  readonly url: string;
  /** When the report of a scan's first forecast from it was written: epoch ms. */
  reportedAt(studyId: string): number | undefined;
  /** Of how many studies. */
  reportedCount(): number;
  /** What a study's status says now. */
  statusOf(studyId: string): string | undefined;
  /** Its patients and their scores are there when it resolves. */
  admit(): Promise<void>;
  /** So is a scan's study. */
  post(scan: Scan): Promise<void>;
  /** Checks that each effect of its scans is there once. */
  check(report: Report, area: string, kafka: string): Promise<void>;
  close(): Promise<void>;
}

export interface HospitalOptions {
  readonly scans: readonly Scan[];
  /** Those whose patients live on the real server, and its FHIR base. */
  readonly real?: { readonly scans: readonly Scan[]; readonly url: string } | undefined;
  readonly imageUrl: (scan: Scan) => string;
}

export async function openHospital({ scans, real, imageUrl }: HospitalOptions): Promise<HospitalServer> {
  if (real === undefined) return startFhirStandIn({ scans, imageUrl });
  const behind = realServerBehind(real.url, real.scans);
  const counted = await startFhirStandIn({
    scans: scans.filter((scan) => !real.scans.includes(scan)),
    imageUrl,
    behind,
  });
  const watched = watchRealFhir({ url: counted.url, scans: real.scans, imageUrl });
  const isReal = new Set(real.scans.flatMap(({ patientId, studyId }) => [patientId, studyId]));
  const serverOf = (id: string): HospitalServer => (isReal.has(id) ? watched : counted);
  return {
    url: counted.url,
    reportedCount: () => counted.reportedCount() + watched.reportedCount(),
    reportedAt: (studyId) => serverOf(studyId).reportedAt(studyId),
    statusOf: (studyId) => serverOf(studyId).statusOf(studyId),
    admit: () => watched.admit(),
    post: (scan) => serverOf(scan.studyId).post(scan),
    async check(report, area, kafka) {
      await counted.check(report, area, kafka);
      await watched.check(report, area, kafka);
    },
    async close() {
      await watched.close();
      await counted.close();
    },
  };
}
