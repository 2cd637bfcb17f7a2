import type { SCORES } from '@engram/contracts';
import { describe, expect, test } from 'vitest';
import { seededRandom } from '../random.ts';
import { simulateCourse } from './course.ts';
import { measureScores } from './measure.ts';
import { type EntryStage, simulatePerson } from './person.ts';

const random = seededRandom(7);
const people = Array.from({ length: 4000 }, () => {
  const person = simulatePerson(random);
  const course = simulateCourse(person, 6, random);
  return { person, at: [0, 1, 2].map((years) => measureScores(course, years, random)) };
});
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const sd = (values: readonly number[]): number => Math.sqrt(mean(values.map((value) => (value - mean(values)) ** 2)));

function baseline(stage: EntryStage, score: (typeof SCORES)[number]): [number, number] {
  const values = people.filter((each) => each.person.stage === stage).map((each) => each.at[0]?.[score] ?? Number.NaN);
  return [mean(values), sd(values)];
}
function change(stage: EntryStage, score: (typeof SCORES)[number], years: 1 | 2): number {
  const of = people.filter((each) => each.person.stage === stage);
  return mean(of.map((each) => (each.at[years]?.[score] ?? Number.NaN) - (each.at[0]?.[score] ?? Number.NaN)));
}

describe('the simulated cohort agrees with the published means it was built from', () => {
  // Published mean, and how far the simulation may lie from it: published sources themselves differ by about as much.
  test.each([
    ['normal', 'mmse', 29.1, 0.4],
    ['impaired', 'mmse', 27.0, 0.7],
    ['dementia', 'mmse', 23.3, 0.8],
    ['normal', 'cdr_sob', 0.03, 0.1],
    ['impaired', 'cdr_sob', 1.6, 0.3],
    ['dementia', 'cdr_sob', 4.3, 0.5],
    ['normal', 'adas_cog', 9.5, 1.4],
    ['impaired', 'adas_cog', 18.7, 2],
    ['dementia', 'adas_cog', 30, 2.7],
  ] as const)('%s %s at entry is about %d', (stage, score, published, tolerance) => {
    expect(Math.abs(baseline(stage, score)[0] - published)).toBeLessThan(tolerance);
  });

  test.each([
    ['normal', 'mmse', -0.16, 0.3],
    ['impaired', 'mmse', -0.82, 0.5],
    ['dementia', 'mmse', -2.15, 0.8],
    ['normal', 'cdr_sob', 0.07, 0.1],
    ['impaired', 'cdr_sob', 0.6, 0.3],
    ['dementia', 'cdr_sob', 1.6, 0.5],
    ['impaired', 'adas_cog', 1.5, 0.8],
    ['dementia', 'adas_cog', 4.9, 1],
  ] as const)('%s %s changes by about %d in a year', (stage, score, published, tolerance) => {
    expect(Math.abs(change(stage, score, 1) - published)).toBeLessThan(tolerance);
  });
});

test('the same seed simulates the same people', () => {
  const again = seededRandom(7);
  expect(simulatePerson(again)).toEqual(people[0]?.person);
});
