/** N4 beside SimpleITK. */
import { HEADS } from '../accuracy/heads.ts';
import { scoreBias } from '../accuracy/known-bias.ts';
import { anchorVersions } from '../anchors/anchor.ts';
import { conditions } from '../conditions.ts';
import { type Say, writeSection } from './section.ts';

export async function bias(say: Say): Promise<void> {
  const rows: string[][] = [];
  for (const head of HEADS)
    for (const { tool, put, left, cpuSeconds } of await scoreBias(head)) {
      rows.push([head, tool, put.toFixed(3), left.toFixed(4), cpuSeconds.toFixed(1)]);
      say(rows.at(-1)?.join('  ') ?? '');
    }
  writeSection({
    name: 'bias',
    title: 'N4 beside SimpleITK',
    command: 'npm run bench -- bias',
    conditions: [...conditions(new Date(), 'none'), anchorVersions()],
    head: ['head', 'tool', 'log field put on (SD)', 'left of it (SD)', 'CPU s'],
    rows,
    notes: [
      'The brain of a real head times a known smooth field with noise (the yardstick’s `score_bias.py mk`), the same mask for both; SD over that mask. SimpleITK: shrink 4, 4 × 50 iterations.',
      'What the scanner’s own field left in the head counts against both.',
    ],
  });
}
