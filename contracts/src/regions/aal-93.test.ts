import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { AAL_93, CEREBELLUM_LABELS, CONSTANT_PET_REGIONS, regionIndex, regionOfLabel } from './aal-93.ts';

test('the list is pinned by its hash, so that a silent change of order, name or label cannot pass', () => {
  const canonical = JSON.stringify(AAL_93.regions.map((region) => [region.name, region.labels]));
  expect(AAL_93.sha256).toBe(createHash('sha256').update(canonical).digest('hex'));
});

test('93 regions with unique names cover the labels 1 to 116 exactly once', () => {
  expect(AAL_93.regions).toHaveLength(93);
  expect(new Set(AAL_93.regions.map((region) => region.name)).size).toBe(93);
  const labels = AAL_93.regions.flatMap((region) => region.labels).sort((a, b) => a - b);
  expect(labels).toEqual(Array.from({ length: 116 }, (_, k) => k + 1));
});

test('names stand where AAL has them', () => {
  const at = (label: number) => AAL_93.regions[regionOfLabel[label] ?? -1]?.name;
  expect([at(1), at(37), at(38), at(67), at(90)]).toEqual([
    'Precentral_L',
    'Hippocampus_L',
    'Hippocampus_R',
    'Precuneus_L',
    'Temporal_Inf_R',
  ]);
  expect([at(91), at(92), at(108), at(109), at(116), at(0)]).toEqual([
    'Cerebellum_L',
    'Cerebellum_R',
    'Cerebellum_R',
    'Vermis',
    'Vermis',
    undefined,
  ]);
  expect(regionIndex('Vermis')).toBe(92);
  expect(() => regionIndex('Hippocampus')).toThrow(RangeError);
});

test('the constant regions are those inside the reference region', () => {
  const inside = AAL_93.regions.filter((region) => region.labels.every((label) => CEREBELLUM_LABELS.includes(label)));
  expect(inside.map((region) => region.name)).toEqual([...CONSTANT_PET_REGIONS]);
});
