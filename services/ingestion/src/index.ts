/**
 * The ingestion service: from FHIR notifications and polls to studies, sessions and the runs they ask for.
 *
 * @example
 * const ingestion = await createIngestion({ records, bus, fhir, fetch, allow, patientKey, publicUrl: () => url });
 * const url = await listen(ingestion.app, { port: 7011 });
 * await ingestion.start();
 * @module
 */
export { createIngestion, type Ingestion, type IngestionDeps } from './ingestion.ts';
export { createIntake, type Intake, type IntakeDeps } from './intake.ts';
export type { Notice } from './notification.ts';
export { NOTIFICATIONS } from './routes/notifications.ts';
