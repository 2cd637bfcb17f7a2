/** `npm run bench -- [label-maps] [label-dice] [known-field] [heads]`: measures and writes BENCHMARKS.md; all without a name. */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hasSharedData } from '@engram/testing';
import { HEADS, scoreHead } from './accuracy/heads.ts';
import { scoreKnownField } from './accuracy/known-field.ts';
import { scorePair } from './accuracy/label-dice.ts';
import { REPORTED_ON, SUBJECTS, scoreSubject, TUNED_ON } from './accuracy/label-maps.ts';
import { conditions } from './conditions.ts';
import { writeSection } from './report.ts';

const file = join(dirname(dirname(fileURLToPath(import.meta.url))), 'BENCHMARKS.md');
const say = (text: string) => process.stderr.write(`${text}\n`);
const tuned = (subject: string): string =>
  (TUNED_ON as readonly string[]).includes(subject) ? `${subject} (tuned on)` : subject;
const seedsOfFields = [7, 11];

const sections: Record<string, () => Promise<void>> = {
  async 'label-maps'() {
    const rows: string[][] = [];
    let device = '';
    for (const contrast of ['t1', 't1-low'] as const)
      for (const subject of SUBJECTS) {
        const s = await scoreSubject(subject, contrast);
        device = s.device;
        rows.push([
          tuned(subject),
          contrast,
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
        ]);
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
  async 'label-dice'() {
    const pairs = [
      ['05', '03'],
      ['07', '11'],
      ['11', '13'],
      ['13', '07'],
    ] as const;
    const rows: string[][] = [];
    let device = '';
    for (const [fixed, moving] of pairs) {
      const s = await scorePair(fixed, moving);
      device = s.device;
      rows.push([
        `${moving} → ${fixed}${fixed === '05' ? ' (tuned on)' : ''}`,
        s.affineDice.toFixed(3),
        s.dice.toFixed(3),
        s.jacobianMin.toFixed(3),
        String(s.folded),
        s.inverseP95Mm.toFixed(3),
        s.cpuSeconds.toFixed(1),
      ]);
      say(rows.at(-1)?.join('  ') ?? '');
    }
    writeSection(file, {
      name: 'label-dice',
      title: 'Deformable registration of brains: label overlap',
      command: 'npm run bench -- label-dice',
      conditions: conditions(new Date(), device),
      head: [
        'moving → fixed',
        'Dice after affine',
        'Dice after deformable',
        'smallest Jacobian',
        'folded voxels',
        'inverse consistency p95 mm',
        'CPU s (affine + deformable)',
      ],
      rows,
      notes: [
        'T1-like phantoms of the label maps, brain only, 1 mm; mean Dice over the 29 FreeSurfer labels of the yardstick, nearest neighbour.',
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
