/** Options that train in a second, for tests. */
import { TRAIN_DEFAULTS, type TrainOptions } from './train-progression.ts';

export const SMALL_FIT: TrainOptions = { seed: 5, people: 400, fit: { ...TRAIN_DEFAULTS.fit, hidden: 8, epochs: 3 } };
