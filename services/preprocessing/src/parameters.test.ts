import { configFile } from '@engram/contracts';
import { adniParameters } from '@engram/pipelines';
import { expect, test } from 'vitest';
import { merged, parametersOf } from './parameters.ts';

const { pipelines } = configFile.parse({});

test('the configuration’s defaults are the pipeline’s own: an untouched file changes no result', () => {
  expect(adniParameters.parse(parametersOf('adni', pipelines, {}))).toEqual(adniParameters.parse({}));
});

test('a request overrides a field and leaves the others of its section', () => {
  const parameters = parametersOf('adni', pipelines, { registration: { grid_mm: 2 } });
  expect(parameters['registration']).toEqual({ ...pipelines.registration, grid_mm: 2 });
  expect(parameters['n4']).toEqual(pipelines.n4);
});

test('lists are replaced whole, unknown sections pass on to the pipeline’s own check', () => {
  expect(merged({ a: { list: [1, 2], b: 1 } }, { a: { list: [3] }, c: 1 })).toEqual({ a: { list: [3], b: 1 }, c: 1 });
});
