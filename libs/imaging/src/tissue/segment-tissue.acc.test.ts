/** Tissue shares and ventricles on heads painted on label maps; the maps reported here were not used for tuning. */
import { hasSharedData } from '@engram/testing';
import type { MaskVolume, Volume } from '@engram/volume';
import { beforeAll, describe, expect, test } from 'vitest';
import { correctBias } from '../bias/correct-bias.ts';
import { loadTemplate, phantomOf, templateFolder } from '../brain/accuracy.fixture.ts';
import { extractBrain } from '../brain/extract-brain.ts';
import type { BrainTemplate } from '../brain/prepare-template.ts';
import { resampleMask } from '../resample.ts';
import { findVentricles } from './find-ventricles.ts';
import { segmentTissue, type TissueResult } from './segment-tissue.ts';

const folder = templateFolder();

/** Dice of each tissue, both sides as the likeliest one, over the voxels of the mask. */
function dices(found: TissueResult, truth: { csf: Volume; gm: Volume; wm: Volume }, mask: Uint8Array) {
  const names = ['csf', 'gm', 'wm'] as const;
  const likeliest = (of: { csf: Volume; gm: Volume; wm: Volume }, i: number) => {
    const [c, g, w] = [of.csf.data[i], of.gm.data[i], of.wm.data[i]];
    return c + g + w <= 0 ? -1 : c >= g && c >= w ? 0 : g >= w ? 1 : 2;
  };
  const [a, b, both] = [
    [0, 0, 0],
    [0, 0, 0],
    [0, 0, 0],
  ];
  for (let i = 0; i < mask.length; i++) {
    if (!mask[i]) continue;
    const [p, q] = [likeliest(found, i), likeliest(truth, i)];
    if (p >= 0) a[p]++;
    if (q >= 0) b[q]++;
    if (p >= 0 && p === q) both[p]++;
  }
  return names.map((_, k) => (2 * both[k]) / (a[k] + b[k]));
}

describe.skipIf(!hasSharedData || folder === undefined)('with label maps and Colin27', () => {
  let template: BrainTemplate;
  beforeAll(async () => {
    template = await loadTemplate(folder ?? '');
  });

  for (const [map, name, options] of [
    ['07', 'usual contrast', { contrast: 't1', noise: 0.03, biasSd: 0.15 }],
    ['11', 'advanced atrophy, noise', { contrast: 't1', noise: 0.06, biasSd: 0.15 }],
    ['13', 'usual contrast, noise', { contrast: 't1', noise: 0.06, biasSd: 0.15 }],
  ] as const) {
    test(`map ${map}, ${name}: tissues in the true mask, ventricles in the found one`, async () => {
      const { t1, truth } = await phantomOf(map, { ...options, seed: Number(map) });
      const { corrected } = await correctBias(t1);
      const within = await segmentTissue(corrected, truth.brain);
      const [csf, gm, wm] = dices(within, truth, truth.brain.data);

      const found = await extractBrain(corrected, template);
      const own = await segmentTissue(corrected, found.mask);
      const { brain, surroundings } = template;
      const around = surroundings.data.map((v, at) => (v > 0 && brain.data[at] === 0 ? 1 : 0));
      const onto = (part: MaskVolume) => resampleMask(part, corrected, { matrix: found.toTemplate });
      const region = await onto(template.ventricles);
      const elsewhere = await onto({ ...surroundings, data: around });
      const ventricles = findVentricles(own.csf, found.mask, { region, elsewhere });
      const blind = findVentricles(within.csf, truth.brain);
      const cavities = new Set([4, 5, 14, 15, 43, 44]);
      const real = truth.labels.data.reduce((n, label) => n + (cavities.has(label) ? 1 : 0), 0) / 1000;
      const volume = (of: TissueResult) =>
        [of.gm, of.wm].map((v) => (v.data.reduce((a, b) => a + b, 0) / 1000).toFixed(0)).join(' / ');
      console.info(
        `map ${map}: Dice CSF ${csf.toFixed(3)} GM ${gm.toFixed(3)} WM ${wm.toFixed(3)}; GM / WM mL ${volume(own)} (true ${truth.volumesMl.gm.toFixed(0)} / ${truth.volumesMl.wm.toFixed(0)}); ventricles ${(ventricles.volume / 1000).toFixed(1)} mL, by depth in the true mask ${(blind.volume / 1000).toFixed(1)}, true ${real.toFixed(1)}`,
      );
      expect(gm).toBeGreaterThan(0.9);
      expect(wm).toBeGreaterThan(0.92);
      expect(csf).toBeGreaterThan(0.85);
      expect(Math.abs(blind.volume / 1000 / real - 1)).toBeLessThan(0.1);
      expect(Math.abs(ventricles.volume / 1000 / real - 1)).toBeLessThan(0.1);
    });
  }
});
