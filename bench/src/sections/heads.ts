/** Real heads, of which no truth is known. */
import { HEADS, scoreHead } from '../accuracy/heads.ts';
import { conditions } from '../conditions.ts';
import { type Say, writeSection } from './section.ts';

export async function heads(say: Say): Promise<void> {
  const rows: string[][] = [];
  let device = '';
  for (const head of HEADS) {
    const s = await scoreHead(head);
    device = s.device;
    rows.push([
      head,
      s.verdict,
      s.registration,
      ...[s.brainMl, s.headMl, s.greyMl, s.whiteMl, s.ventriclesMl].map((ml) => ml.toFixed(0)),
      s.cpuSeconds.toFixed(0),
      s.peakMemoryMb.toFixed(0),
    ]);
    say(rows.at(-1)?.join('  ') ?? '');
  }
  writeSection({
    name: 'heads',
    title: 'Real heads',
    command: 'npm run bench -- heads',
    conditions: conditions(new Date(), device),
    head: [
      'head',
      'QC',
      'registration',
      'brain mL',
      'head size mL',
      'grey mL',
      'white mL',
      'ventricles mL',
      'CPU s',
      'peak MB',
    ],
    rows,
    notes: ['T1 only. No truth is known; the masks were looked at.'],
  });
}
