/** The pseudonym of a patient: what stands for them in event keys, object paths, logs and spans. Pure. */
import { createHmac } from 'node:crypto';
import type { PatientKey } from '@engram/contracts';

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';
const LENGTH = 26;

/** RFC 4648 base32, lower case, without padding. */
export function base32(bytes: Uint8Array): string {
  let text = '';
  let held = 0;
  let bits = 0;
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xfff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += ALPHABET[(held >> bits) & 31];
    }
  }
  return bits > 0 ? text + ALPHABET[(held << (5 - bits)) & 31] : text;
}

/**
 * First 26 characters (130 bits) of lower-case base32 of HMAC-SHA256(site secret, `${fhirBase}|${patientId}`).
 * The same patient id on two FHIR servers is two patients. A trailing slash of the base does not count.
 */
export function patientKey(secret: string, fhirBase: string, patientId: string): PatientKey {
  const base = fhirBase.replace(/\/+$/, '');
  return base32(createHmac('sha256', secret).update(`${base}|${patientId}`).digest()).slice(0, LENGTH);
}
