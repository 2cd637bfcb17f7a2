/** Hold-out figures by score and horizon: error against two naive forecasts, coverage, width; and the event's Brier score. */
import { HORIZONS_MONTHS, SCORES, type Score } from '@engram/contracts';
import { inputVector, STAGES, stageOf } from '../inputs/input-vector.ts';
import type { Example } from '../simulate/cohort.ts';
import { INTERVALS } from './conformal.ts';
import { medianOf, type Network, OUTPUTS, type Prediction, predict, QUANTILES } from './network.ts';

export interface HorizonFigures {
  readonly score: Score;
  readonly months: number;
  /** People whose last value of the score was known: LOCF needs it. */
  readonly n: number;
  readonly mae: number;
  readonly rmse: number;
  readonly bias: number;
  readonly mae_locf: number;
  readonly mae_stage_slope: number;
  /** Share of people inside, by level 0.5, 0.8, 0.9. */
  readonly coverage: number[];
  readonly width_80: number;
}

export interface Evaluation {
  readonly people: number;
  readonly horizons: HorizonFigures[];
  /** P(CDR global ≥ 1) against what happened, for people not there yet. */
  readonly event: { readonly months: number; readonly brier: number; readonly brier_prevalence: number }[];
}

const lastValue = (example: Example, score: Score): number | undefined =>
  example.history.scores.filter((each) => each.score === score).at(-1)?.value;

/** Mean change by stage and output: the naive forecast that a mixed-effects benchmark starts from. */
export function stageSlopes(training: readonly Example[]): (stage: number, output: number) => number {
  const sum = new Float64Array(STAGES.length * OUTPUTS);
  const count = new Float64Array(STAGES.length * OUTPUTS);
  for (const example of training) {
    const stage = STAGES.indexOf(stageOf(example.history.scores));
    for (let o = 0; o < OUTPUTS; o++) {
      const last = lastValue(example, SCORES[o % SCORES.length] ?? 'mmse');
      const target = example.targets[o] ?? Number.NaN;
      if (last === undefined || Number.isNaN(target)) continue;
      sum[stage * OUTPUTS + o] = (sum[stage * OUTPUTS + o] ?? 0) + target - last;
      count[stage * OUTPUTS + o] = (count[stage * OUTPUTS + o] ?? 0) + 1;
    }
  }
  return (stage, output) => (sum[stage * OUTPUTS + output] ?? 0) / Math.max(1, count[stage * OUTPUTS + output] ?? 0);
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const round = (value: number): number => Math.round(value * 1000) / 1000;

export function evaluate(network: Network, holdout: readonly Example[], training: readonly Example[]): Evaluation {
  const slopes = stageSlopes(training);
  const predictions = holdout.map((example) => predict(network, inputVector(example.history)));
  const horizons = SCORES.flatMap((score, s) =>
    HORIZONS_MONTHS.map((months, h) => figures(score, months, h * SCORES.length + s, holdout, predictions, slopes)),
  );
  const event = HORIZONS_MONTHS.map((months, h) => {
    const open = holdout
      .map((example, k) => ({ example, p: predictions[k]?.event[h] ?? 0 }))

      .filter(({ example }) => example.followed > h || example.event <= h)
      .filter(({ example }) => !example.history.scores.some((x) => x.score === 'cdr_global' && x.value >= 1));
    const happened = open.map(({ example }) => (example.event <= h ? 1 : 0));
    const rate = mean(happened);
    return {
      months,
      brier: round(mean(open.map(({ p }, k) => (p - (happened[k] ?? 0)) ** 2))),
      brier_prevalence: round(rate * (1 - rate)),
    };
  });
  return { people: holdout.length, horizons, event };
}

function figures(
  score: Score,
  months: number,
  output: number,
  holdout: readonly Example[],
  predictions: readonly Prediction[],
  slopes: (stage: number, output: number) => number,
): HorizonFigures {
  const errors: number[] = [];
  const locf: number[] = [];
  const sloped: number[] = [];
  const inside = INTERVALS.map(() => 0);
  const widths: number[] = [];
  holdout.forEach((example, k) => {
    const last = lastValue(example, score);
    const target = example.targets[output] ?? Number.NaN;
    const prediction = predictions[k];
    if (last === undefined || Number.isNaN(target) || !prediction) return;
    errors.push(medianOf(prediction, output) - target);
    locf.push(last - target);
    sloped.push(last + slopes(STAGES.indexOf(stageOf(example.history.scores)), output) - target);
    const quantile = (q: number): number => prediction.quantiles[output * QUANTILES.length + q] ?? Number.NaN;
    INTERVALS.forEach(({ lower, upper }, level) => {
      if (target >= quantile(lower) - 1e-9 && target <= quantile(upper) + 1e-9)
        inside[level] = (inside[level] ?? 0) + 1;
    });
    widths.push(quantile(5) - quantile(1));
  });
  const absolute = (values: readonly number[]): number => round(mean(values.map(Math.abs)));
  return {
    score,
    months,
    n: errors.length,
    mae: absolute(errors),
    rmse: round(Math.sqrt(mean(errors.map((error) => error * error)))),
    bias: round(mean(errors)),
    mae_locf: absolute(locf),
    mae_stage_slope: absolute(sloped),
    coverage: inside.map((count) => round(count / errors.length)),
    width_80: round(mean(widths)),
  };
}
