/** Heads that are hard: turned, shifted, cropped, coarse, with a strong bias, with much atrophy. */
import { scoreHardHeads } from '../accuracy/hard-heads.ts';
import { conditions } from '../conditions.ts';
import { type Say, tuned, writeSection } from './section.ts';

/** None that a setting was chosen on; the second has much atrophy. */
const HARD_SUBJECTS = ['07', '11'];

export async function hardHeads(say: Say): Promise<void> {
  const rows: string[][] = [];
  for (const subject of HARD_SUBJECTS)
    for await (const { name, outcome, brainDice, regionDice, reasons } of scoreHardHeads(subject)) {
      const figures = [brainDice, regionDice].map((value) => value?.toFixed(4) ?? '–');
      rows.push([tuned(subject), name, outcome, ...figures, reasons.join('; ') || '–']);
      say(rows.at(-1)?.join('  ') ?? '');
    }
  writeSection({
    name: 'hard-heads',
    title: 'Hard heads',
    command: 'npm run bench -- hard-heads',
    conditions: conditions(new Date(), 'auto'),
    head: ['label map', 'head', 'QC', 'brain mask Dice', 'region Dice with the plain head', 'reasons given'],
    rows,
    notes: [
      'T1-like phantoms of label maps at 1 mm unless said, noise 3 %, bias field 10 % unless said. 11 has ventricles of 61 mL: much atrophy.',
      'Region Dice: mean over the regions of the atlas, against the regions found in the plain head of the same map, carried over by the known motion. Regions beyond the field of view are left out.',
    ],
  });
}
