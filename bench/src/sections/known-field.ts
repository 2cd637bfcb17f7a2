/** Regional volumes under a known deformation. */
import { scoreKnownField } from '../accuracy/known-field.ts';
import { conditions } from '../conditions.ts';
import { type Say, writeSection } from './section.ts';

const seedsOfFields = [7, 11];

export async function knownField(say: Say): Promise<void> {
  const rows: string[][] = [];
  for (const seed of seedsOfFields) {
    const s = await scoreKnownField(seed);
    rows.push([
      String(seed),
      s.medianLabelErrorPercent.toFixed(1),
      s.p90LabelErrorPercent.toFixed(1),
      s.medianGreyErrorPercent.toFixed(1),
      s.verdict,
    ]);
    say(rows.at(-1)?.join('  ') ?? '');
  }
  writeSection({
    name: 'known-field',
    title: 'Regional volumes under a known deformation',
    command: 'npm run bench -- known-field',
    conditions: conditions(new Date(), 'auto'),
    head: [
      'seed of the field',
      'region volume error % (median of 93)',
      '90th percentile %',
      'grey matter volume error % (median of 93)',
      'QC',
    ],
    rows,
    notes: [
      'Colin27’s head deformed by an affine and a smooth diffeomorphism (mean about 6 mm) with bias and noise; truth by the sum of the Jacobian over each AAL region.',
    ],
  });
}
