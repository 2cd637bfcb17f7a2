/** All that must hold once faults have ceased and the system has come to rest. */
import { deathsHaveCauses, nothingIsLost, orderIsKept } from './events.ts';
import { forecastsFollow, oneForecastAnInputSet } from './forecasts.ts';
import { featuresAreOne, runsEndOnce, studiesArrive, withdrawnIsOut } from './runs.ts';
import type { Check } from './state.ts';
import { measurementsAreCurrent, reportsStand, resourcesAreOne, studiesSaySo } from './write-back.ts';

export type { Rest } from './state.ts';

export const checkAll: Check = (rest) =>
  [
    nothingIsLost,
    deathsHaveCauses,
    orderIsKept,
    studiesArrive,
    runsEndOnce,
    featuresAreOne,
    withdrawnIsOut,
    forecastsFollow,
    oneForecastAnInputSet,
    resourcesAreOne,
    reportsStand,
    measurementsAreCurrent,
    studiesSaySo,
  ].flatMap((check) => check(rest));
