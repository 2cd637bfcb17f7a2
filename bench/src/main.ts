/** `npm run bench -- [label-maps] [registration] [bias] [brain] [pet] [stage-one] [growth] [quality] [known-field] [hard-heads] [heads]`: measures and writes BENCHMARKS.md; all without a name. */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isEngramError } from '@engram/errors';
import { hasSharedData } from '@engram/testing';
import { scoreBrains } from './accuracy/brain-extraction.ts';
import { areaUnderRoc, BREAKS, type Break, type JudgedRun, judgeBrokenRuns } from './accuracy/broken-runs.ts';
import { scoreHardHeads } from './accuracy/hard-heads.ts';
import { HEADS, scoreHead } from './accuracy/heads.ts';
import { scoreBias } from './accuracy/known-bias.ts';
import { scoreKnownField } from './accuracy/known-field.ts';
import { REPORTED_ON, SUBJECTS, type SubjectScores, scoreSubject, TUNED_ON } from './accuracy/label-maps.ts';
import { scorePetPosition } from './accuracy/pet-position.ts';
import { anchorVersions } from './anchors/anchor.ts';
import { conditions } from './conditions.ts';
import { costGrowth, costOfTasks } from './cost/stage-one.ts';
import { headCase, pairCase } from './registration/cases.ts';
import { compare, type Scored } from './registration/compare.ts';
import { writeSection } from './report.ts';
import { mean } from './scores.ts';

const file = join(dirname(dirname(fileURLToPath(import.meta.url))), 'BENCHMARKS.md');
const say = (text: string) => process.stderr.write(`${text}\n`);
const tuned = (subject: string): string =>
  (TUNED_ON as readonly string[]).includes(subject) ? `${subject} (tuned on)` : subject;
const seedsOfFields = [7, 11];
/** Fixed, moving, whether settings were chosen on it. */
const PAIRS: readonly (readonly [string, string, boolean])[] = [
  ['13', '07', false],
  ['07', '11', false],
  ['11', '13', false],
  ['05', '03', true],
];
/** None that a setting was chosen on; the second has much atrophy. */
const HARD_SUBJECTS = ['07', '11'];
const TUNED_HEAD = 'studyforrest_T1_1p5mm';
const FIELD_SEED = 7;

/** A refusal is a result; anything else that is thrown ends the run. */
function refusalOf(error: unknown): { readonly code: string } {
  if (isEngramError(error)) return { code: error.code };
  throw error;
}

const subjectCells = (s: SubjectScores): string[] => [
  s.verdict,
  s.brainDice.toFixed(4),
  s.gm.toFixed(3),
  s.wm.toFixed(3),
  s.csf.toFixed(3),
  s.ventricleErrorPercent.toFixed(1),
  s.petErrorMm.toFixed(3),
  s.suvrErrorPercent.toFixed(1),
  s.cpuSeconds.toFixed(0),
  s.peakMemoryMb.toFixed(0),
];

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

const sections: Record<string, () => Promise<void>> = {
  async 'label-maps'() {
    const rows: string[][] = [];
    let device = '';
    for (const contrast of ['t1', 't1-low'] as const)
      for (const subject of SUBJECTS) {
        const s = await scoreSubject(subject, contrast).catch(refusalOf);
        if ('code' in s) rows.push([tuned(subject), contrast, `refused: ${s.code}`, ...new Array<string>(9).fill('–')]);
        else {
          device = s.device;
          rows.push([tuned(subject), contrast, ...subjectCells(s)]);
        }
        say(rows.at(-1)?.join('  ') ?? '');
      }
    writeSection(file, {
      name: 'label-maps',
      title: 'Whole pipeline on phantoms of known anatomy',
      command: 'npm run bench -- label-maps',
      conditions: conditions(new Date(), device),
      head: [
        'label map',
        'contrast',
        'QC',
        'brain mask Dice',
        'grey Dice',
        'white Dice',
        'CSF Dice',
        'ventricle volume error %',
        'PET position error mm',
        'SUVR error % (median of 10 structures)',
        'CPU s',
        'peak MB',
      ],
      rows,
      notes: [
        'T1-like and FDG-like images painted on whole-head label maps at 1 mm: noise 3 %, bias field 10 %, PET 6 mm FWHM at 2 mm, turned by up to 7° and shifted by up to 8 mm.',
        'Brain truth: all brain and ventricle labels, no fluid around the brain. Tissue Dice inside the true brain. SUVR truth: after the PET’s point spread, reference whole cerebellum.',
        `Settings were chosen on ${TUNED_ON.join(' and ')}; ${REPORTED_ON.join(', ')} are reported on.`,
      ],
    });
  },
  async registration() {
    // Held-out subjects first, pairs and heads in turn: a run that is stopped has said what counts.
    const jobs = PAIRS.flatMap(([fixed, moving, tuned], index) => [
      { anchors: ['greedy'], make: (folder: string) => pairCase(folder, fixed, moving, tuned) },
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
      writeSection(file, {
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
  },
  async bias() {
    const rows: string[][] = [];
    for (const head of HEADS)
      for (const { tool, put, left, cpuSeconds } of await scoreBias(head)) {
        rows.push([head, tool, put.toFixed(3), left.toFixed(4), cpuSeconds.toFixed(1)]);
        say(rows.at(-1)?.join('  ') ?? '');
      }
    writeSection(file, {
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
  },
  async brain() {
    const rows: string[][] = [];
    const byTool = new Map<string, number[]>();
    for await (const { subject, contrast, tool, dice, cpuSeconds } of scoreBrains([...REPORTED_ON, ...TUNED_ON])) {
      rows.push([tuned(subject), contrast, tool, dice.toFixed(4), cpuSeconds.toFixed(1)]);
      byTool.set(tool, [...(byTool.get(tool) ?? []), dice]);
      say(rows.at(-1)?.join('  ') ?? '');
    }
    for (const [tool, all] of byTool)
      rows.push(['all', 'mean and worst', tool, `${mean(all).toFixed(4)}, ${Math.min(...all).toFixed(4)}`, '–']);
    writeSection(file, {
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
  },
  async pet() {
    const rows: string[][] = [];
    for (const subject of SUBJECTS)
      for (const { tool, startMm, meanMm, maxMm, cpuSeconds } of await scorePetPosition(subject)) {
        rows.push([
          tuned(subject),
          tool,
          startMm.toFixed(1),
          meanMm.toFixed(3),
          maxMm.toFixed(3),
          cpuSeconds.toFixed(1),
        ]);
        say(rows.at(-1)?.join('  ') ?? '');
      }
    writeSection(file, {
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
  },
  async 'stage-one'() {
    const { tasks, outcome } = await costOfTasks();
    const cells = (name: string, wall: number, cpu: number, mb: number) => [
      name,
      wall.toFixed(1),
      cpu.toFixed(1),
      mb.toFixed(0),
    ];
    writeSection(file, {
      name: 'stage-one',
      title: 'The whole preprocessing, task by task',
      command: 'npm run bench -- stage-one',
      conditions: conditions(new Date(), outcome.device.name),
      head: ['task', 'wall s', 'CPU s', 'peak MB'],
      rows: [
        ...tasks.map((task) => cells(task.task, task.wallSeconds, task.cpuSeconds, task.peakMemoryMb)),
        cells('all', outcome.seconds, outcome.cpuSeconds, outcome.peakMemoryMb),
      ],
      notes: [
        'A T1-like phantom of 256³ voxels of 1 mm and an FDG-like PET at 2 mm of the same label map (11), from NIfTI files to all objects written.',
      ],
    });
  },
  async growth() {
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
    writeSection(file, {
      name: 'growth',
      title: 'How the cost grows',
      command: 'npm run bench -- growth',
      conditions: conditions(new Date(), 'wasm-simd'),
      head: [
        'session',
        'million voxels of the T1',
        'wall s',
        'CPU s',
        'CPU µs a voxel and run set',
        'peak MB, all runs',
      ],
      rows,
      notes: [
        'The session of `stage-one` at other voxel sizes, and at 1.5 mm with fewer threads and several runs at once.',
      ],
    });
  },
  async quality() {
    const runs: JudgedRun[] = [];
    for (const subject of SUBJECTS) {
      runs.push(...(await judgeBrokenRuns(subject)));
      say(`${subject}: ${runs.length} runs judged`);
    }
    writeSection(file, {
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
  },
  async 'known-field'() {
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
    writeSection(file, {
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
  },
  async 'hard-heads'() {
    const rows: string[][] = [];
    for (const subject of HARD_SUBJECTS)
      for await (const { name, outcome, brainDice, regionDice, reasons } of scoreHardHeads(subject)) {
        const figures = [brainDice, regionDice].map((value) => value?.toFixed(4) ?? '–');
        rows.push([tuned(subject), name, outcome, ...figures, reasons.join('; ') || '–']);
        say(rows.at(-1)?.join('  ') ?? '');
      }
    writeSection(file, {
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
  },
  async heads() {
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
    writeSection(file, {
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
  },
};

if (!hasSharedData) {
  say('bench: the public data set beside the repository is not here; nothing was measured');
  process.exitCode = 1;
} else {
  const wanted = process.argv.slice(2);
  for (const name of wanted.length === 0 ? Object.keys(sections) : wanted) {
    const section = sections[name];
    if (section === undefined) {
      say(`bench: no section ${name}; there are ${Object.keys(sections).join(', ')}`);
      process.exitCode = 1;
      continue;
    }
    say(`— ${name}`);
    await section();
  }
}
