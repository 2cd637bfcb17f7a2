/** PET to T1 beside elastix. */
import { SUBJECTS } from '../accuracy/label-maps.ts';
import { scorePetPosition } from '../accuracy/pet-position.ts';
import { anchorVersions } from '../anchors/anchor.ts';
import { conditions } from '../conditions.ts';
import { type Say, tuned, writeSection } from './section.ts';

export async function pet(say: Say): Promise<void> {
  const rows: string[][] = [];
  for (const subject of SUBJECTS)
    for (const { tool, startMm, meanMm, maxMm, cpuSeconds } of await scorePetPosition(subject)) {
      rows.push([tuned(subject), tool, startMm.toFixed(1), meanMm.toFixed(3), maxMm.toFixed(3), cpuSeconds.toFixed(1)]);
      say(rows.at(-1)?.join('  ') ?? '');
    }
  writeSection({
    name: 'pet',
    title: 'PET to T1 beside elastix',
    command: 'npm run bench -- pet',
    conditions: [...conditions(new Date(), 'none'), anchorVersions()],
    head: ['label map', 'tool', 'apart before mm', 'error mean mm', 'error max mm', 'CPU s'],
    rows,
    notes: [
      'An FDG-like PET of the label map, 2 mm, 6 mm FWHM, with noise, under a known rigid motion (the yardstick’s `mkpet.py`): easier than a real one. Error over the brain. elastix: its rigid defaults, four levels, 4096 samples.',
    ],
  });
}
