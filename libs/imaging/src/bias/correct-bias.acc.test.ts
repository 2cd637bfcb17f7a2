/** N4 against a known field on heads painted on label maps. */
import { hasSharedData } from '@engram/testing';
import { describe, expect, test } from 'vitest';
import { phantomOf } from '../brain/accuracy.fixture.ts';
import { correctBias } from './correct-bias.ts';

describe.skipIf(!hasSharedData)('with label maps', () => {
  for (const map of ['03', '11']) {
    test(`map ${map}: what is left of the field in the brain is below 2.5 % and less than there was, from the whole head`, async () => {
      const { t1, truth } = await phantomOf(map, { contrast: 't1', noise: 0.03, biasSd: 0.15, seed: Number(map) });
      const { logField } = await correctBias(t1);
      let [n, sum, squares, own, ownSquares] = [0, 0, 0, 0, 0];
      for (let i = 0; i < truth.brain.data.length; i++) {
        if (!truth.brain.data[i]) continue;
        const real = Math.log(truth.bias[i]);
        const rest = real - logField.data[i];
        n++;
        sum += rest;
        squares += rest * rest;
        own += real;
        ownSquares += real * real;
      }
      const residual = Math.sqrt(squares / n - (sum / n) ** 2);
      const before = Math.sqrt(ownSquares / n - (own / n) ** 2);
      console.info(`map ${map}: field ${before.toFixed(3)} before, residual ${residual.toFixed(3)}`);
      expect(residual).toBeLessThan(0.025);
      expect(residual).toBeLessThan(0.7 * before);
    });
  }
});
