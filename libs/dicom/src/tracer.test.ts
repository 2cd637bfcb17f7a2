import { expect, test } from 'vitest';
import { petTimingOfSidecar, TRACERS, tracerOf, tracerOfName } from './index.ts';

test.each([
  ['FDG', 'Fluorodeoxyglucose F^18^'],
  ['FDG', '[18F]FDG'],
  ['FBP', 'F18-AV45'],
  ['FBP', 'Florbetapir F^18^'],
  ['FBB', '18F-Florbetaben'],
  ['FLUTE', 'Flutemetamol F^18^'],
  ['PIB', 'Pittsburgh compound B C^11^'],
  ['PIB', '[11C]PiB'],
  ['FTP', 'F18-AV1451'],
  ['FTP', 'Flortaucipir F^18^'],
  ['MK6240', 'MK-6240 F^18^'],
  ['PI2620', '18F-PI-2620'],
])('%s is found in %s', (tracer, name) => {
  expect(tracerOfName(name)).toBe(tracer);
});

test.each(['', 'Solution', 'Rubidium', 'F18', 'FDG or AV45', 'Fluortriopride'])(
  'no tracer is guessed from %j',
  (name) => {
    expect(tracerOfName(name)).toBeNull();
  },
);

test('a code wins over its meaning and over the text, in any of its schemes', () => {
  const of = (scheme: string, value: string, meaning = '', text = '') =>
    tracerOf({ codes: [{ scheme, value, meaning }], text });
  expect(of('SRT', 'C-B1031', 'Florbetapir', 'PIB')).toMatchObject({ tracer: 'FDG', source: 'code' });
  expect(of('99SDM', 'C-B1031').tracer).toBe('FDG');
  expect(of('SCT', '456995000').tracer).toBe('FBP');
  expect(of('DCM', '126501').tracer).toBe('FBB');
  expect(of('DCM', '126500').tracer).toBe('PIB');
  expect(of('LOCAL', '1', 'Flutemetamol F^18^')).toMatchObject({ tracer: 'FLUTE', source: 'name' });
  expect(of('LOCAL', '1', '', 'F18-AV1451')).toMatchObject({ tracer: 'FTP', source: 'name' });
  expect(of('LOCAL', '1')).toMatchObject({ tracer: null, source: 'none' });
});

test('every tracer is its own name', () => {
  for (const tracer of TRACERS) expect(tracerOfName(tracer)).toBe(tracer);
});

test('frame times come from a BIDS sidecar, and only sound ones', () => {
  expect(petTimingOfSidecar({ FrameTimesStart: [0, 300], FrameDuration: [300, 300], InjectionStart: -3000 })).toEqual({
    zero: 'injection',
    frames: [
      { start: 3000, duration: 300 },
      { start: 3300, duration: 300 },
    ],
  });
  expect(petTimingOfSidecar({ FrameTimesStart: 0, FrameDuration: 600 })).toEqual({
    zero: 'scan',
    frames: [{ start: 0, duration: 600 }],
  });
  expect(petTimingOfSidecar({})).toBeNull();
  expect(petTimingOfSidecar({ FrameTimesStart: [0, 100], FrameDuration: [300, 300] })).toBeNull();
  expect(petTimingOfSidecar({ FrameTimesStart: [0, 300], FrameDuration: [300] })).toBeNull();
  expect(petTimingOfSidecar({ FrameTimesStart: [0], FrameDuration: [0] })).toBeNull();
});
