/** Brain extraction alone, on phantoms of three contrasts, beside a template's mask carried over by greedy. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readField, writeNifti } from '@engram/formats';
import { type BrainTemplate, correctBias, extractBrain, prepareTemplate, resampleMask } from '@engram/imaging';
import { openDevice } from '@engram/kernels';
import { ensureAtlas, loadAtlas } from '@engram/pipelines';
import { type T1Options, t1FromLabels } from '@engram/testing';
import type { MaskVolume } from '@engram/volume';
import { runAnchor } from '../anchors/anchor.ts';
import { dice } from '../scores.ts';
import { readSubject } from './label-maps.ts';

export interface BrainScores {
  readonly subject: string;
  readonly contrast: string;
  readonly tool: string;
  readonly dice: number;
  /** User and system; the anchor's without carrying the mask over. */
  readonly cpuSeconds: number;
}

const CONTRASTS: Readonly<Record<string, T1Options>> = {
  usual: { contrast: 't1' },
  'little grey-white contrast': { contrast: 't1-low' },
  'noise 7 %, bias field 20 %': { contrast: 't1', noise: 0.07, biasSd: 0.2 },
};

/** Of each subject, every contrast. */
export async function* scoreBrains(subjects: readonly string[]): AsyncGenerator<BrainScores> {
  const atlas = await loadAtlas(await ensureAtlas());
  const template = await prepareTemplate(atlas.t1, atlas.brain);
  for (const subject of subjects) {
    const labels = await readSubject(subject);
    for (const [contrast, options] of Object.entries(CONTRASTS)) {
      const { t1, truth } = t1FromLabels(labels, { ...options, seed: Number(subject) });
      const { corrected } = await correctBias(t1);
      const start = process.cpuUsage();
      const { mask } = await extractBrain(corrected, template);
      const { user, system } = process.cpuUsage(start);
      const overlap = (found: MaskVolume) =>
        dice(
          found.data.length,
          (at) => found.data[at] > 0,
          (at) => truth.brain.data[at] > 0,
        );
      yield { subject, contrast, tool: 'Engram', dice: overlap(mask), cpuSeconds: (user + system) / 1e6 };
      const { found, cpuSeconds } = await byTemplate(corrected, template);
      yield { subject, contrast, tool: 'greedy', dice: overlap(found), cpuSeconds };
    }
  }
}

/** The same template's tight mask, laid on by greedy's affine. */
async function byTemplate(head: Parameters<typeof writeNifti>[0], template: BrainTemplate) {
  const folder = await mkdtemp(join(tmpdir(), 'engram-brain-'));
  const device = await openDevice({ backend: 'wasm' });
  try {
    const [headFile, templateFile] = [join(folder, 'head.nii.gz'), join(folder, 'template.nii.gz')];
    await writeFile(headFile, writeNifti(head, { gzip: 1 }));
    await writeFile(templateFile, writeNifti(template.t1, { gzip: 1 }));
    const { cpu_seconds: cpu } = await runAnchor('greedy_template.py', [headFile, templateFile, folder]);
    const { field } = await readField(join(folder, 'affine.nii.gz'));
    return { found: await resampleMask(template.brain, head, { field }, device), cpuSeconds: cpu['affine'] ?? 0 };
  } finally {
    await device.close();
    await rm(folder, { recursive: true, force: true });
  }
}
