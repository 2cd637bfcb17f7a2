/**
 * Prediction: the forecast of a patient, recomputed whenever an input changes, so that the button mostly reads.
 *
 * @example
 * const model = await loadModel(fileURLToPath(DEFAULT_MODEL));
 * const prediction = await createPrediction({ records, bus, objects, fhir, model, patientKeyOf, readFeatureSets });
 * @module
 */
export {
  createPrediction,
  forecastById,
  GROUP,
  type PredictionDeps,
  predictionSubscription,
  type Service,
} from './service.ts';
