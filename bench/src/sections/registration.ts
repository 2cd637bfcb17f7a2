/** Registration of brains beside greedy and ANTs. */
import { HEADS } from '../accuracy/heads.ts';
import { anchorVersions } from '../anchors/anchor.ts';
import { conditions } from '../conditions.ts';
import { headCase, pairCase } from '../registration/cases.ts';
import { compare, type Scored } from '../registration/compare.ts';
import { type Say, writeSection } from './section.ts';

/** Fixed, moving, whether settings were chosen on it. */
const PAIRS: readonly (readonly [string, string, boolean])[] = [
  ['13', '07', false],
  ['07', '11', false],
  ['11', '13', false],
  ['05', '03', true],
];

const TUNED_HEAD = 'studyforrest_T1_1p5mm';

const FIELD_SEED = 7;

const registrationRow = (row: Scored): string[] => [
  row.subject,
  row.tool,
  row.affineDice?.toFixed(4) ?? '–',
  row.dice?.toFixed(4) ?? '–',
  row.errorMm?.map((mm) => mm.toFixed(3)).join(' / ') ?? '–',
  row.jacobianMin.toFixed(3),
  String(row.foldedVoxels),
  row.inverseP95Mm?.toFixed(3) ?? '–',
  row.affineCpuS === 0 ? '–' : row.affineCpuS.toFixed(1),
  row.deformableCpuS.toFixed(1),
];

export async function registration(say: Say): Promise<void> {
  // Held-out subjects first, pairs and heads in turn: a run that is stopped has said what counts.
  const jobs = PAIRS.flatMap(([fixed, moving, isTuned], index) => [
    { anchors: ['greedy'], make: (folder: string) => pairCase(folder, fixed, moving, isTuned) },
    ...HEADS.slice(index, index + 1).map((head) => ({
      // ANTs takes minutes a pair: one head that nothing was chosen on.
      anchors: index === 0 ? ['greedy', 'ANTs SyN'] : ['greedy'],
      make: (folder: string) => headCase(folder, head, FIELD_SEED, head === TUNED_HEAD),
    })),
  ]);
  const found: Scored[] = [];
  for (const { make, anchors } of jobs) {
    for (const row of await compare(make, anchors)) {
      found.push(row);
      say(registrationRow(row).join('  '));
    }
    // After each subject: a run takes an hour, and one that is stopped has measured something all the same.
    writeSection({
      name: 'registration',
      title: 'Registration of brains beside greedy and ANTs',
      command: 'npm run bench -- registration',
      conditions: [...conditions(new Date(), 'wasm-simd (2 threads)'), anchorVersions()],
      head: [
        'subject',
        'tool',
        'label Dice, affine',
        'label Dice',
        'error mean / p95 mm',
        'smallest Jacobian',
        'folded voxels',
        'inverse consistency p95 mm',
        'affine CPU s',
        'deformable CPU s',
      ],
      rows: found.map(registrationRow),
      notes: [
        'Pairs: T1-like phantoms of two people’s label maps, brain only, 1 mm; mean Dice over the 29 FreeSurfer labels of the yardstick, nearest neighbour. Heads: the brain of a real head at 1 mm against itself deformed by about 6 mm, with bias and noise (the yardstick’s `mktruth.py`), error over the brain.',
        'greedy: NCC 2x2x2, 100x50x10, `-float`, two threads; ANTs: `SyN` with its defaults, its affine within the deformable figure. Engram’s deformable figure holds its inverse and every check. All fields are scored by the same code.',
        'CPU seconds are user and system time without reading files for Engram, with it for the others (about a second).',
      ],
    });
  }
}
