/** Quality control on deliberately broken runs. */
import { areaUnderRoc, BREAKS, type Break, type JudgedRun, judgeBrokenRuns } from '../accuracy/broken-runs.ts';
import { SUBJECTS } from '../accuracy/label-maps.ts';
import { conditions } from '../conditions.ts';
import { type Say, writeSection } from './section.ts';

function qualityRow(kind: Break, runs: readonly JudgedRun[]): string[] {
  const sound = runs.filter(({ broken }) => !broken);
  const broken = runs.filter((run) => run.broken);
  const share = (of: readonly JudgedRun[], wanted: (verdict: JudgedRun['verdict']) => boolean) =>
    `${of.filter(({ verdict }) => wanted(verdict)).length} of ${of.length}`;
  return [
    kind,
    BREAKS[kind].broken,
    BREAKS[kind].leading,
    String(sound.length),
    String(broken.length),
    areaUnderRoc(runs).toFixed(3),
    share(broken, (verdict) => verdict !== 'pass'),
    share(broken, (verdict) => verdict === 'fail'),
    share(sound, (verdict) => verdict === 'pass'),
  ];
}

export async function quality(say: Say): Promise<void> {
  const runs: JudgedRun[] = [];
  for (const subject of SUBJECTS) {
    runs.push(...(await judgeBrokenRuns(subject)));
    say(`${subject}: ${runs.length} runs judged`);
  }
  writeSection({
    name: 'quality',
    title: 'Quality control on deliberately broken runs',
    command: 'npm run bench -- quality',
    conditions: conditions(new Date(), 'auto'),
    head: [
      'what was put wrong',
      'counts as broken',
      'leading metric',
      'sound runs',
      'broken runs',
      'area under the ROC of the leading metric',
      'broken ones that do not pass',
      'broken ones that fail',
      'sound ones that pass',
    ],
    rows: (Object.keys(BREAKS) as Break[]).map((kind) =>
      qualityRow(
        kind,
        runs.filter((run) => run.kind === kind),
      ),
    ),
    notes: [
      `A good run on a phantom of each of the label maps ${SUBJECTS.join(', ')} at 2 mm. Atlas (laid on by its affine) and PET: shifted by 1 to 18 mm and turned by as many degrees, three directions each. Mask: 5 to 45 % of its height cut off from below. An atlas laid on by its affine alone never passes, by design: the overlap of grey matter asks for a look.`,
      'Sound and broken by the known error, not by any metric. No threshold was chosen on these runs.',
    ],
  });
}
