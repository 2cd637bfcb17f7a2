import { expect, test } from 'vitest';
import { events } from './index.ts';
import { runIdOf } from './run-id.ts';

const { pipeline, inputs } = events.runRequested.example;
const facts = { pipeline, inputs, parameters: { n4: { shrink: 4 }, priority: 1 }, requestId: 'ready' };

test('one run is asked for twice when only the order of its parameters or the place of its images differs', () => {
  const moved = inputs.map((input) => ({ ...input, source: { kind: 'url' as const, url: 'file:///elsewhere.nii' } }));
  expect(runIdOf({ ...facts, inputs: moved, parameters: { priority: 1, n4: { shrink: 4 } } })).toBe(runIdOf(facts));
});

test('another study version, parameter or request is another run', () => {
  const grown = inputs.map((input) => ({ ...input, study_version: 'other' }));
  const ids = [
    runIdOf(facts),
    runIdOf({ ...facts, inputs: grown }),
    runIdOf({ ...facts, parameters: {} }),
    runIdOf({ ...facts, requestId: 'again' }),
  ];
  expect(new Set(ids).size).toBe(4);
});
