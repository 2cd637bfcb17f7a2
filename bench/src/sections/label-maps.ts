/** The whole pipeline on phantoms of known anatomy. */
import { isEngramError } from '@engram/errors';
import { REPORTED_ON, SUBJECTS, type SubjectScores, scoreSubject, TUNED_ON } from '../accuracy/label-maps.ts';
import { conditions } from '../conditions.ts';
import { type Say, tuned, writeSection } from './section.ts';

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

export async function labelMaps(say: Say): Promise<void> {
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
  writeSection({
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
}
