/** Brain extraction beside a template laid on by greedy. */
import { scoreBrains } from '../accuracy/brain-extraction.ts';
import { REPORTED_ON, TUNED_ON } from '../accuracy/label-maps.ts';
import { anchorVersions } from '../anchors/anchor.ts';
import { conditions } from '../conditions.ts';
import { mean } from '../scores.ts';
import { type Say, tuned, writeSection } from './section.ts';

export async function brain(say: Say): Promise<void> {
  const rows: string[][] = [];
  const byTool = new Map<string, number[]>();
  for await (const { subject, contrast, tool, dice, cpuSeconds } of scoreBrains([...REPORTED_ON, ...TUNED_ON])) {
    rows.push([tuned(subject), contrast, tool, dice.toFixed(4), cpuSeconds.toFixed(1)]);
    byTool.set(tool, [...(byTool.get(tool) ?? []), dice]);
    say(rows.at(-1)?.join('  ') ?? '');
  }
  for (const [tool, all] of byTool)
    rows.push(['all', 'mean and worst', tool, `${mean(all).toFixed(4)}, ${Math.min(...all).toFixed(4)}`, '–']);
  writeSection({
    name: 'brain',
    title: 'Brain extraction beside a template laid on by greedy',
    command: 'npm run bench -- brain',
    conditions: [...conditions(new Date(), 'wasm-simd (2 threads)'), anchorVersions()],
    head: ['label map', 'contrast', 'tool', 'brain mask Dice', 'CPU s'],
    rows,
    notes: [
      'Whole heads painted on label maps at 1 mm, noise 3 % and bias field 10 % unless said, after our N4. Truth: all brain and ventricle labels, no fluid around the brain.',
      'greedy: affine of Colin27’s head to the image, NCC 2x2x2, 100x50x0, two threads; the tight mask of our own template carried over by it. Its CPU seconds hold reading the files.',
    ],
  });
}
