import type { Volume } from '@engram/volume';
import { expect, test } from 'vitest';
import { checkT1 } from './check-t1.ts';
import { adniParameters } from './parameters.ts';
import { parsePetSidecar, windowOf } from './pet-timing.ts';

const image = (change: Partial<Volume> & { readonly value?: (at: number) => number } = {}): Volume => {
  const shape = change.shape ?? ([50, 60, 50] as const);
  const { value = (at: number) => (at % 7) * 20 } = change;
  return {
    shape,
    frames: 1,
    affine: [4, 0, 0, -100, 0, 4, 0, -120, 0, 0, 4, -100, 0, 0, 0, 1],
    data: Float32Array.from({ length: shape[0] * shape[1] * shape[2] }, (_, at) => value(at)),
    ...change,
  };
};

test('a plain head-sized image passes', () => {
  expect(() => checkT1(image(), 't1.nii.gz')).not.toThrow();
});

test.each([
  ['four dimensions', image({ frames: 3 }), 'IMAGE_DIMENSIONS'],
  ['one slice', image({ shape: [60, 60, 1] }), 'IMAGE_DIMENSIONS'],
  ['voxels of 9 mm', image({ affine: [9, 0, 0, 0, 0, 4, 0, 0, 0, 0, 4, 0, 0, 0, 0, 1] }), 'IMAGE_GEOMETRY'],
  ['a mouse', image({ affine: [0.1, 0, 0, 0, 0, 0.1, 0, 0, 0, 0, 0.1, 0, 0, 0, 0, 1] }), 'IMAGE_GEOMETRY'],
  ['Hounsfield units', image({ value: (at) => (at % 3 === 0 ? -1000 : 40) }), 'IMAGE_MODALITY'],
  ['a constant', image({ value: () => 5 }), 'IMAGE_EMPTY'],
  ['nothing above zero', image({ value: (at) => -(at % 3) }), 'IMAGE_EMPTY'],
])('%s is refused by name', (_, volume, code) => {
  expect(() => checkT1(volume, 'scan.nii.gz')).toThrow(expect.objectContaining({ code, file: 'scan.nii.gz' }));
});

test('frame times count from the injection, and a single number is a list of one', () => {
  const { tracer, timing } = parsePetSidecar({
    TracerName: ' FDG ',
    FrameTimesStart: [0, 300],
    FrameDuration: [300, 300],
    InjectionStart: -1800,
  });
  expect(tracer).toBe('FDG');
  expect(timing).toEqual({ startsS: [1800, 2100], durationsS: [300, 300] });
  expect(parsePetSidecar({ FrameTimesStart: 0, FrameDuration: 600 }).timing?.durationsS).toEqual([600]);
});

test('a sidecar that says nothing gives nothing, and a broken one gives a warning', () => {
  expect(parsePetSidecar({ Modality: 'PT' })).toEqual({ tracer: null, timing: null, warnings: [] });
  expect(parsePetSidecar({ FrameTimesStart: 'soon' }).warnings).toHaveLength(1);
});

test('the short names of tracers find their windows, unknown ones none', () => {
  expect(windowOf('FDG')).toEqual([1800, 3600]);
  for (const name of ['FBP', 'FBB', 'FLUTE', 'PIB', 'NAV4694', 'FTP', 'MK6240']) expect(windowOf(name)).toBeDefined();
  expect(windowOf('PI9999')).toBeUndefined();
});

test('parameters have the seed’s defaults, and a wrong one is refused', () => {
  expect(adniParameters.parse({}).registration).toMatchObject({
    interpolation: 'nearestneighbour',
    cost_function: 'normcorr',
    transform: 'deformable',
  });
  expect(adniParameters.parse({ suvr: { erode_voxels: 0 } }).suvr.erode_voxels).toBe(0);
  expect(adniParameters.safeParse({ registration: { cost_function: 'guess' } }).success).toBe(false);
});
