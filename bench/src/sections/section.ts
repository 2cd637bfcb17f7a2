/** What the sections of BENCHMARKS.md share. */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TUNED_ON } from '../accuracy/label-maps.ts';
import { type Section, writeSection as writeTo } from '../report.ts';

export type Say = (text: string) => void;

const file = join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), 'BENCHMARKS.md');

export const writeSection = (section: Section): void => writeTo(file, section);

export const tuned = (subject: string): string =>
  (TUNED_ON as readonly string[]).includes(subject) ? `${subject} (tuned on)` : subject;
