/** One forecast an input set, and the one in use rests on all that stands in the end. */
import { patientKeyOf } from '../platform.ts';
import { runsFor } from './runs.ts';
import { type Check, featureSetsOf, forecastsOf, type PatientRecord, type Rest } from './state.ts';

export const forecastsFollow: Check = (rest) =>
  rest.scenario.patients.flatMap(({ id, scores }) => {
    const sessions = rest.scenario.sessions.filter(({ patientId }) => patientId === id);
    const isDone =
      sessions.length > 0 && sessions.every((session) => runsFor(rest, session)[0]?.status === 'completed');
    // Whatever else the server says of the patient may leave a forecast pending; what is whole may not.
    return isDone ? checkPatient(rest, id, scores) : [];
  });

function checkPatient(rest: Rest, id: string, scores: readonly string[]): readonly string[] {
  const key = patientKeyOf(id);
  const patient = rest.records.table('prediction.patients').get(key)?.value as PatientRecord | undefined;
  if (scores.length === 0) {
    return patient?.refusal?.code === 'FORECAST_NO_SCORES' ? [] : [`${id} has no score and no refusal`];
  }
  const record = forecastsOf(rest).find(({ forecast }) => forecast.forecast_id === patient?.forecast_id);
  if (!record) return [`${id} has no forecast: ${patient?.refusal?.code ?? 'none was made'}`];
  const { forecast, withdrawn } = record;
  const used = forecast.inputs.feature_sets
    .filter((set) => set.used)
    .map((set) => `${set.feature_set_id} ${set.version}`);
  const stands = featureSetsOf(rest)
    .filter((set) => set.patient_id === id && set.current !== null)
    .map((set) => `${set.feature_set_id} ${set.current}`);
  const rested = forecast.inputs.scores.map(({ reference }) => reference?.replace('Observation/', ''));
  return [
    ...(withdrawn === null ? [] : [`the forecast of ${id} in use was withdrawn`]),
    ...(String(used.sort()) === String(stands.sort())
      ? []
      : [`the forecast of ${id} rests on ${used}, not on ${stands}`]),
    ...(String(rested.sort()) === String([...scores].sort())
      ? []
      : [`the forecast of ${id} rests on the scores ${rested}`]),
  ];
}

export const oneForecastAnInputSet: Check = (rest) => {
  const inputs = forecastsOf(rest).map(
    ({
      forecast: {
        patient_id,
        inputs: { feature_sets, scores },
      },
    }) =>
      JSON.stringify([
        patient_id,
        feature_sets.map((set) => [set.feature_set_id, set.version, set.used]),
        scores.map(({ reference, value }) => [reference, value]),
      ]),
  );
  return new Set(inputs).size < inputs.length ? ['two forecasts rest on one input set'] : [];
};
