import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chooseSeries, factsOfImagingStudy, factsOfMetadata, type SeriesFacts, UNKNOWN } from './index.ts';

let uid = 0;
const facts = (more: Partial<SeriesFacts>): SeriesFacts => ({
  ...UNKNOWN,
  series_uid: `1.2.${++uid}`,
  modality: 'MR',
  ...more,
});
const mprage = (more: Partial<SeriesFacts> = {}) =>
  facts({
    description: 'MPRAGE',
    scanning_sequence: ['GR', 'IR'],
    acquisition_type: '3D',
    image_type: ['ORIGINAL', 'PRIMARY', 'M'],
    slices: 176,
    frames: 1,
    spacing_mm: [1, 1, 1],
    echo_time_ms: 3,
    acquired: '2024-01-15T10:00:00',
    ...more,
  });
const spgr = (more: Partial<SeriesFacts> = {}) =>
  mprage({
    description: 'AX 3D T1 SPGR',
    scanning_sequence: ['GR'],
    repetition_time_ms: 8,
    flip_angle_deg: 15,
    ...more,
  });
const chosen = (...series: SeriesFacts[]) => {
  const choice = chooseSeries(series);
  // The order in which a server lists series must not matter.
  expect(chooseSeries(series.toReversed()).t1?.series_uid).toBe(choice.t1?.series_uid);
  expect(choice.decisions.map(({ series_uid }) => series_uid)).toEqual(series.map(({ series_uid }) => series_uid));
  return choice;
};
const reasonOf = (one: SeriesFacts) => chooseSeries([one]).decisions[0];

describe('of several T1s', () => {
  test('MPRAGE comes before a finer and later SPGR', () => {
    const other = spgr({ spacing_mm: [0.5, 0.5, 0.5], acquired: '2024-01-15T11:00:00' });
    const { t1, decisions } = chosen(other, mprage());
    expect(t1?.description).toBe('MPRAGE');
    expect(decisions[0]).toMatchObject({
      role: 'none',
      reason: expect.stringContaining('MPRAGE or IR-SPGR comes before'),
    });
    expect(decisions[1].reason).toContain('taken before another');
  });
  test('without contrast agent comes before finer', () => {
    const agent = mprage({ contrast_agent: 'Gadovist', spacing_mm: [0.8, 0.8, 0.8] });
    const named = mprage({ description: 'T1 MPRAGE post GD', spacing_mm: [0.8, 0.8, 0.8] });
    expect(chosen(agent, mprage()).t1?.contrast_agent).toBe('');
    expect(chosen(named, mprage()).t1?.description).toBe('MPRAGE');
    expect(
      chosen(mprage({ description: 'MPRAGE without contrast', spacing_mm: [0.8, 0.8, 0.8] }), mprage()).t1?.description,
    ).toBe('MPRAGE without contrast');
    expect(chosen(agent).t1).toBeDefined();
  });
  test('finer comes before later, later before the number', () => {
    const fine = mprage({ spacing_mm: [0.8, 0.8, 0.8] });
    const late = mprage({ acquired: '2024-01-15T12:00:00' });
    expect(chosen(late, fine).t1).toBe(fine);
    expect(chosen(mprage(), late).t1).toBe(late);
    const [a, b] = [mprage({ series_number: 3 }), mprage({ series_number: 9 })];
    expect(chosen(a, b).t1).toBe(b);
  });
  test('an original comes before a derived one, which is used where it is alone, and says so', () => {
    const derived = mprage({ image_type: ['DERIVED', 'SECONDARY'], spacing_mm: [0.7, 0.7, 0.7] });
    expect(chosen(derived, spgr()).t1?.description).toBe('AX 3D T1 SPGR');
    expect(chosen(derived).decisions[0]).toMatchObject({
      role: 't1',
      reason: expect.stringContaining('marked as derived'),
    });
  });
});

test.each<[string, Partial<SeriesFacts>, string]>([
  ['localiser', { description: 'AAHScout' }, 'localiser'],
  ['localiser by type', { image_type: ['ORIGINAL', 'PRIMARY', 'LOCALIZER'] }, 'localiser'],
  ['FLAIR', { description: 'Sag 3D FLAIR SPACE' }, 'FLAIR'],
  ['T2', { description: 'AX T2 TSE' }, 'T2'],
  ['DWI', { description: 'ep2d_diff_3scan_trace' }, 'diffusion'],
  ['ADC', { image_type: ['DERIVED', 'PRIMARY', 'ADC'] }, 'derived image (ADC)'],
  ['perfusion', { description: 'PASL_standard' }, 'perfusion'],
  ['SWI', { description: 'SWI_Images' }, 'susceptibility'],
  ['fMRI', { description: 'rsfMRI resting state' }, 'functional'],
  ['TOF', { description: 'TOF_3D_multi-slab' }, 'angiography'],
  ['MPR', { image_type: ['DERIVED', 'SECONDARY', 'MPR'] }, 'derived image (MPR)'],
  ['2D T1', { description: 'AX T1 SE', acquisition_type: '2D' }, '2D'],
  ['thick', { description: 'T1', spacing_mm: [1, 1, 5] }, 'thicker'],
  ['few slices', { slices: 24 }, '24 slices'],
  ['frames', { frames: 4 }, '4 frames'],
  ['long echo', { description: 'unknown', scanning_sequence: ['SE'], echo_time_ms: 90 }, 'TE 90'],
  ['nothing said', { description: 'series', scanning_sequence: [], echo_time_ms: null }, 'nothing says'],
])('no T1: %s, with its reason', (_, more, reason) => {
  const only = reasonOf(mprage({ description: 'series', ...more }));
  expect(only).toMatchObject({ role: 'none', reason: expect.stringContaining(reason) });
});

test.each([
  'MPRAGE',
  'Sag MP-RAGE',
  'ADNI3_t1_mprage_sag_p2_iso',
  'Accelerated Sagittal IR-FSPGR',
  'SAG BRAVO',
  'T1_3D_TFE',
  'MP2RAGE_UNI',
  '3D T1w',
  'anat-T1w',
])('a name alone is enough where a server says no more: %s', (description) => {
  expect(reasonOf(facts({ description, images: 176 })).role).toBe('t1');
});

test('other modalities are neither', () => {
  expect(reasonOf(facts({ modality: 'CT' })).reason).toContain('neither MR nor PET');
  expect(reasonOf(facts({ modality: 'SR' })).role).toBe('none');
  expect(chooseSeries([]).decisions).toEqual([]);
});

describe('of several PETs', () => {
  const pet = (more: Partial<SeriesFacts> = {}) =>
    facts({
      modality: 'PT',
      slices: 90,
      frames: 1,
      corrections: ['DECY', 'ATTN', 'SCAT'],
      units: 'BQML',
      spacing_mm: [2, 2, 2],
      ...more,
    });
  test('the attenuation-corrected one is taken, and its tracer named', () => {
    const fdg = { codes: [{ scheme: 'SCT', value: '35321007', meaning: '' }], text: '' };
    const choice = chooseSeries([
      pet({ corrections: ['DECY'] }),
      pet({ radiopharmaceutical: fdg }),
      pet({ description: 'PET MIP' }),
    ]);
    expect(choice.tracer).toMatchObject({ tracer: 'FDG', source: 'code' });
    expect(choice.decisions.map(({ role }) => role)).toEqual(['none', 'pet', 'none']);
  });
  test('an unknown tracer stays unknown', () => {
    const choice = chooseSeries([pet({ radiopharmaceutical: { codes: [], text: 'Rubidium' } })]);
    expect(choice.tracer).toMatchObject({ tracer: null, source: 'none' });
    expect(choice.pet).toBeDefined();
  });
});

test('DICOMweb metadata and FHIR give the facts that files give', () => {
  const cs = (...Value: unknown[]) => ({ vr: 'CS', Value });
  const instance = (n: number) => ({
    '00080060': cs('MR'),
    '0008103E': cs('t1_mprage_sag'),
    '0020000E': cs('1.2.3'),
    '0020000D': cs('1.2'),
    '00080018': cs(`1.2.3.${n}`),
    '00180020': cs('GR', 'IR'),
    '00180023': cs('3D'),
    '00280030': { vr: 'DS', Value: [0.9, 0.9] },
    '00200032': { vr: 'DS', Value: [0, 0, n * 1.2] },
    '00200037': { vr: 'DS', Value: [1, 0, 0, 0, 1, 0] },
    '00080022': cs('20240115'),
    '00080032': cs('101112.5'),
  });
  const [one] = factsOfMetadata(Array.from({ length: 160 }, (_, n) => instance(n)));
  expect(one).toMatchObject({
    slices: 160,
    frames: 1,
    acquired: '2024-01-15T10:11:12',
    scanning_sequence: ['GR', 'IR'],
  });
  expect(one.spacing_mm?.[2]).toBeCloseTo(1.2, 6);
  const fhir = factsOfImagingStudy([
    { uid: '1.2.3', modality: { code: 'MR' }, description: 't1_mprage_sag', numberOfInstances: 160 },
    { uid: '1.2.4', modality: { code: 'MR' }, description: 'localizer', numberOfInstances: 9 },
  ]);
  expect(chooseSeries(fhir).t1?.series_uid).toBe('1.2.3');
  expect(chooseSeries([one]).t1?.series_uid).toBe('1.2.3');
});

test('one instance that may hold a whole volume is not taken for one slice', () => {
  const fhir = factsOfImagingStudy([
    { uid: '1.2.3', modality: { code: 'MR' }, description: 'T1 MPRAGE', numberOfInstances: 1 },
  ]);
  expect(chooseSeries(fhir).t1?.series_uid).toBe('1.2.3');
  const found = (more: Record<string, unknown>) =>
    factsOfMetadata([
      {
        '00080060': { Value: ['MR'] },
        '0008103E': { Value: ['T1 MPRAGE'] },
        '0020000E': { Value: ['1.2.4'] },
        ...more,
      },
    ]);
  const [multiFrame] = found({ '00080018': { Value: ['1.2.4.1'] }, '00280008': { Value: [192] } });
  expect(multiFrame.images).toBe(192);
  const [searched] = found({ '00201209': { Value: [176] } });
  expect(searched.images).toBe(176);
  expect(chooseSeries([multiFrame]).t1).toBeDefined();
  expect(chooseSeries([searched]).t1).toBeDefined();
  expect(chooseSeries(found({ '00201209': { Value: [24] } })).t1).toBeUndefined();
});

test('metadata of any shape gives facts or nothing, never an exception', () => {
  fc.assert(
    fc.property(fc.array(fc.object({ maxDepth: 3 })), fc.array(fc.jsonValue()), (objects, values) => {
      const tagged = objects.map((object) => ({
        '0020000E': { vr: 'UI', Value: ['1.2'] },
        '00200032': { Value: values },
        '00180050': { Value: [object, ...values] },
        ...object,
      }));
      chooseSeries(factsOfMetadata([...tagged, ...values]));
    }),
    { numRuns: 1000 },
  );
});

test('some decision is made for every series, exactly one T1 at most, whatever the order', () => {
  const one = fc.record({
    description: fc.constantFrom('MPRAGE', 'FLAIR', 'T1 SPGR', 'loc', ''),
    image_type: fc.constantFrom<string[]>(['ORIGINAL', 'PRIMARY'], ['DERIVED', 'SECONDARY'], []),
    slices: fc.constantFrom(1, 100, null),
    contrast_agent: fc.constantFrom('', 'Gd'),
    spacing_mm: fc.constantFrom<[number, number, number] | null>([1, 1, 1], [0.8, 0.8, 0.9], null),
    acquired: fc.constantFrom('', '2024-01-15', '2024-01-15T10:00:00'),
  });
  fc.assert(
    fc.property(fc.array(one, { maxLength: 8 }), fc.nat(), (list, seed) => {
      const series = list.map((more, index) => ({ ...UNKNOWN, ...more, modality: 'MR', series_uid: `1.${index}` }));
      const choice = chooseSeries(series);
      expect(choice.decisions).toHaveLength(series.length);
      expect(choice.decisions.filter(({ role }) => role === 't1').length).toBe(choice.t1 === undefined ? 0 : 1);
      const turned = [...series.slice(seed % (series.length || 1)), ...series.slice(0, seed % (series.length || 1))];
      expect(chooseSeries(turned).t1?.series_uid).toBe(choice.t1?.series_uid);
    }),
  );
});
