/** A hospital's FHIR server as a scale run sees it, whatever stands there. */
import type { Report } from '../e2e/report.ts';
import type { Scan } from '../load/hospital.ts';

export interface HospitalServer {
  /** FHIR base. */
  readonly url: string;
  /** When the report of a scan's first forecast from it was written, by study id: epoch ms. */
  readonly reportedAt: ReadonlyMap<string, number>;
  /** What a study's status says now. */
  statusOf(studyId: string): string | undefined;
  /** Patients and their scores are there when it resolves. */
  admit(scans: readonly Scan[]): Promise<void>;
  /** So is a scan's study. */
  post(scan: Scan): Promise<void>;
  /** Checks that each effect of these scans is there once. */
  check(report: Report, area: string, kafka: string, scans: readonly Scan[]): Promise<void>;
  close(): Promise<void>;
}
