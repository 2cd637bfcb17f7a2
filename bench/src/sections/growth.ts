/** How the cost grows with voxels, threads and runs at once. */
import { conditions } from '../conditions.ts';
import { costGrowth } from '../cost/stage-one.ts';
import { type Say, writeSection } from './section.ts';

export async function growth(say: Say): Promise<void> {
  const rows: string[][] = [];
  for await (const { what, voxels, wallSeconds, cpuSeconds, peakMemoryMb } of costGrowth()) {
    rows.push([
      what,
      (voxels / 1e6).toFixed(2),
      wallSeconds.toFixed(1),
      cpuSeconds.toFixed(1),
      ((1e6 * cpuSeconds) / voxels).toFixed(1),
      peakMemoryMb.toFixed(0),
    ]);
    say(rows.at(-1)?.join('  ') ?? '');
  }
  writeSection({
    name: 'growth',
    title: 'How the cost grows',
    command: 'npm run bench -- growth',
    conditions: conditions(new Date(), 'wasm-simd'),
    head: ['session', 'million voxels of the T1', 'wall s', 'CPU s', 'CPU µs a voxel and run set', 'peak MB, all runs'],
    rows,
    notes: [
      'The session of `stage-one` at other voxel sizes, and at 1.5 mm with fewer threads and several runs at once.',
    ],
  });
}
