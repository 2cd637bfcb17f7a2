/** N4 beside SimpleITK's: the brain of a real head times a known smooth field (the yardstick's `score_bias.py mk`), the same mask. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readNifti, writeNifti } from '@engram/formats';
import { correctBias } from '@engram/imaging';
import { sharedData } from '@engram/testing';
import type { MaskVolume, Volume } from '@engram/volume';
import { runAnchor, runPython } from '../anchors/anchor.ts';
import { quantile } from '../scores.ts';
import { withPipeline } from './pipeline-on.ts';

export interface BiasScores {
  readonly head: string;
  readonly tool: string;
  /** Standard deviation over the brain of the log field that was put on, and of what is left of it. */
  readonly put: number;
  readonly left: number;
  readonly cpuSeconds: number;
}

/** The yardstick's noise and thresholds are for values about 200. */
const BRIGHT = 200;
const BRAIN = 20;

export async function scoreBias(head: string): Promise<BiasScores[]> {
  const folder = await mkdtemp(join(tmpdir(), 'engram-bias-'));
  const file = (name: string) => join(folder, `${name}.nii.gz`);
  try {
    const stripped = await withPipeline({ t1: sharedData('t1', `${head}.nii.gz`) }, ({ image }) =>
      image('brain/mri_brain.nii.gz'),
    );
    const gain =
      BRIGHT /
      quantile(
        [...stripped.data].filter((value) => value > 0),
        0.99,
      );
    const original: Volume = { ...stripped, data: stripped.data.map((value) => gain * value) };
    await writeFile(file('original'), writeNifti(original));
    const tool = sharedData('..', 'tools', 'registration', 'score_bias.py');
    await runPython(tool, ['mk', file('original'), file('biased'), file('truth')]);
    const [{ volume: biased }, { volume: truth }] = [await readNifti(file('biased')), await readNifti(file('truth'))];
    const mask: MaskVolume = {
      shape: biased.shape,
      affine: biased.affine,
      data: Uint8Array.from(original.data, (value) => (value > BRAIN ? 1 : 0)),
    };
    await writeFile(file('mask'), writeNifti(mask));
    const spread = (of: (at: number) => number): number => deviation(mask, of);
    const put = spread((at) => Math.log(truth.data[at]));
    const left = (logField: Volume) => spread((at) => Math.log(truth.data[at]) - logField.data[at]);

    const { cpu_seconds: cpu } = await runAnchor('sitk_n4.py', [file('biased'), file('mask'), file('sitk')]);
    const peer = (await readNifti(file('sitk'))).volume;
    const start = process.cpuUsage();
    const { logField } = await correctBias(biased, { mask });
    const { user, system } = process.cpuUsage(start);
    return [
      { head, tool: 'SimpleITK', put, left: left(peer), cpuSeconds: cpu['n4'] ?? 0 },
      { head, tool: 'Engram', put, left: left(logField), cpuSeconds: (user + system) / 1e6 },
    ];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function deviation(mask: MaskVolume, of: (at: number) => number): number {
  let [n, sum, squares] = [0, 0, 0];
  for (let at = 0; at < mask.data.length; at++) {
    if (mask.data[at] === 0) continue;
    const value = of(at);
    n++;
    sum += value;
    squares += value * value;
  }
  return Math.sqrt(squares / n - (sum / n) ** 2);
}
