import { type EngramEvent, events } from '@engram/contracts';
import { expect, test } from 'vitest';
import { quantile, stagesOf } from './stages.ts';

const at = (seconds: number) => new Date(1_800_000_000_000 + seconds * 1000).toISOString();
const event = (type: string, seconds: number, data: unknown = {}) =>
  ({ type, partitionkey: 'k', time: at(seconds), data }) as EngramEvent;

test('a stage lasts from the first saying of one event to the first of the next', () => {
  const all = [
    event(events.studyReceived.type, 0),
    event(events.runRequested.type, 1),
    event(events.runProgressed.type, 3, { run_status: 'validating' }),
    event(events.runProgressed.type, 4, { run_status: 'executing' }),
    event(events.runCompleted.type, 8),
    event(events.runCompleted.type, 9),
    event(events.featuresStored.type, 9),
    event(events.forecastMade.type, 2, { feature_sets: [] }),
    event(events.forecastMade.type, 11, { feature_sets: [{}] }),
  ];
  const stages = stagesOf(all, new Map([['k', Date.parse(at(12))]]));
  expect(Object.fromEntries(stages.map(({ stage, seconds }) => [stage, seconds]))).toEqual({
    'received to requested': [1],
    'waiting for a worker': [2],
    'worked on': [5],
    'features stored': [1],
    'forecast made': [2],
    'written back': [1],
    'in all': [12],
  });
});

test('the quantile of nothing is not a number', () => {
  expect(quantile([3, 1, 2], 0.5)).toBe(2);
  expect(quantile([3, 1, 2], 0.95)).toBe(3);
  expect(quantile([], 0.5)).toBeNaN();
});
