/**
 * Settings by environment and `engram.config.yaml`, parsed once at the start; patient keys made with the site secret.
 *
 * @example
 * const config = loadConfig({ env: process.env });
 * const key = patientKey(config.siteSecret, fhirBase, 'PHANTOM-001');
 * @module
 */
export { type Environment, environment, SERVICES, type ServiceName } from './environment.ts';
export {
  type Config,
  embeddedAdapters,
  type LoadOptions,
  loadConfig,
  redactedConfig,
  requireDistributed,
} from './load-config.ts';
export { notificationSecret } from './notification-secret.ts';
export { base32, patientKey } from './patient-key.ts';
