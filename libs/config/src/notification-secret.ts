import { createHmac } from 'node:crypto';

/** With which servers that can do so sign their notifications: the same in every process of a site, and no use for anything else. */
export const notificationSecret = (siteSecret: string): string =>
  createHmac('sha256', siteSecret).update('fhir-notifications').digest('hex');
