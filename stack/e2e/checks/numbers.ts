/** Features and forecast of the distributed platform are those of the embedded one, to the last digit. */
import assert from 'node:assert/strict';
import type { Forecast, RoiFeatures } from '@engram/contracts';
import type { Outcome } from '../follow.ts';
import type { Report } from '../report.ts';

export async function checkNumbers(report: Report, here: Outcome, embedded: Outcome): Promise<void> {
  const area = 'numbers';
  await report.check(area, 'the same session, run and patient key', () => {
    const identity = ({ run, patientKey }: Outcome) => [run.id, run.session_id, run.session_date, patientKey];
    assert.deepEqual(identity(here), identity(embedded));
    return here.run.id;
  });
  await report.check(
    area,
    'the feature set equals the embedded one to the last digit, lineage and hashes included',
    () => {
      assert.deepEqual(timeless(here.features), timeless(embedded.features));
      assert.equal(here.features.mri_roi_features.length, 93);
      return `digest ${here.features.digest.slice(0, 16)}…, verdict ${here.features.quality_metrics.verdict}`;
    },
  );
  await report.check(area, 'the forecast equals the embedded one to the last digit', () => {
    assert.deepEqual(steady(here.forecast), steady(embedded.forecast));
    const points = Object.values(here.forecast.predictions).flatMap((scores) => Object.values(scores));
    assert.equal(points.length, 40);
    return `${points.length} values, ${here.forecast.forecast_id}`;
  });
}

const timeless = ({ preprocessing_timestamp: _, ...rest }: RoiFeatures) => rest;

/** Without when it was made, how long that took, and whether it had been made before. */
const steady = ({ prediction_timestamp: _at, processing_time_seconds: _s, cached: _c, ...rest }: Forecast) => rest;
