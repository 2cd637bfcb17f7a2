/** Every event of the platform; the table in the design document, as code. */
import { featuresStored } from './features-stored.v1.ts';
import { forecastMade, forecastRefused } from './forecast-made.v1.ts';
import { reviewRequested } from './review-requested.v1.ts';
import { runCommanded } from './run-commanded.v1.ts';
import { runCancelled, runCompleted, runFailed } from './run-ended.v1.ts';
import { runProgressed } from './run-progressed.v1.ts';
import { runRequested } from './run-requested.v1.ts';
import { scoreReceived } from './score-received.v1.ts';
import { studyReceived } from './study-received.v1.ts';
import { studyRetracted } from './study-retracted.v1.ts';

export const events = {
  studyReceived,
  scoreReceived,
  runRequested,
  runCommanded,
  runProgressed,
  runCompleted,
  runFailed,
  runCancelled,
  featuresStored,
  forecastMade,
  forecastRefused,
  reviewRequested,
  studyRetracted,
} as const;

export type EventType = (typeof events)[keyof typeof events]['type'];
