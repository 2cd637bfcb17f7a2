/** The seed's seven objects of one session, from a finished run. */
import { copyFile, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileSha256 } from '@engram/cache';
import {
  AAL_93,
  ARTIFACTS,
  CONSTANT_PET_REGIONS,
  type PreprocessingLog,
  preprocessingLog,
  type QualityMetrics,
  qualityMetrics,
  type RoiFeatures,
  roiFeatures,
} from '@engram/contracts';
import { digestOf } from '../canonical-json.ts';
import type { RunArtifact, RunOutcome } from '../runner.ts';
import { atlasSummary } from './atlas-summary.ts';
import { featureSummary } from './features.ts';
import { petSummary } from './import-pet.ts';
import { averageSummary } from './pet-average.ts';
import { PIPELINE_NAME, PIPELINE_VERSION } from './version.ts';

export interface SessionSubject {
  readonly patientId: string;
  /** `YYYY-MM-DD`, as written. */
  readonly sessionDate: string;
  /** Of the studies the images came from, where known. */
  readonly studyUids?: Readonly<Partial<Record<'t1' | 'pet', string>>>;
  readonly atlas: { readonly name: string; readonly version: string; readonly sha256: string };
  readonly engineVersion: string;
}

export interface SessionFiles {
  /** In the order of writing; `roi_features.json` last, and absent where only pictures could be made. */
  readonly artifacts: readonly RunArtifact[];
  readonly quality: QualityMetrics;
  readonly features: RoiFeatures | undefined;
  readonly log: PreprocessingLog;
}

/**
 * Writes the objects of a completed `adni` run into `outDir`. Only time stamps and the log differ between two runs on the
 * same input, version and device, and the feature digest leaves those out.
 */
export async function writeSession(
  outcome: RunOutcome,
  subject: SessionSubject,
  outDir: string,
): Promise<SessionFiles> {
  await mkdir(outDir, { recursive: true });
  const artifacts: RunArtifact[] = [];
  const add = async (name: string): Promise<void> => {
    const path = join(outDir, name);
    artifacts.push({ name, path, sha256: await fileSha256(path), bytes: (await stat(path)).size });
  };
  for (const artifact of outcome.artifacts) {
    await copyFile(artifact.path, join(outDir, artifact.name));
    await add(artifact.name);
  }
  const quality = qualityMetrics.parse(
    JSON.parse(await readFile(outcome.output(`quality/${ARTIFACTS.qualityMetrics}`), 'utf8')),
  );
  const withWarnings: QualityMetrics = { ...quality, preprocessing_warnings: [...new Set(outcome.warnings)] };
  await writeFile(join(outDir, ARTIFACTS.qualityMetrics), text(withWarnings));
  await add(ARTIFACTS.qualityMetrics);
  const log = logOf(outcome);
  await writeFile(join(outDir, ARTIFACTS.preprocessingLog), text(log));
  await add(ARTIFACTS.preprocessingLog);
  const features = await featuresOf(outcome, subject, withWarnings, artifacts);
  if (features) {
    await writeFile(join(outDir, ARTIFACTS.roiFeatures), text(features));
    await add(ARTIFACTS.roiFeatures);
  }
  return { artifacts, quality: withWarnings, features, log };
}

const text = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

function logOf(outcome: RunOutcome): PreprocessingLog {
  return preprocessingLog.parse({
    schema: 'engram/preprocessing-log/1',
    started: outcome.started,
    finished: outcome.finished,
    tasks: outcome.tasks.map((task) => ({
      name: task.name,
      status: task.status,
      key: task.key,
      reused: task.reused,
      started: task.started,
      seconds: task.seconds,
      cpu_seconds: task.cpuSeconds,
      peak_memory_mb: task.peakMemoryMb,
      notes: task.notes,
    })),
    warnings: outcome.warnings,
  });
}

/** undefined after a rigid fallback: its labels are good for pictures only, never for a forecast. */
async function featuresOf(
  outcome: RunOutcome,
  subject: SessionSubject,
  quality: QualityMetrics,
  artifacts: readonly RunArtifact[],
): Promise<RoiFeatures | undefined> {
  const json = async (name: string): Promise<unknown> => JSON.parse(await readFile(outcome.output(name), 'utf8'));
  const atlas = atlasSummary.parse(await json('atlas/atlas.json'));
  if (atlas.method === 'rigid') return undefined;
  const { mri, pet, head_size_ml, tissue_ml } = featureSummary.parse(await json('features/features.json'));
  const lineageTasks = outcome.tasks
    .filter(({ status }) => status === 'completed')
    .map(({ name, version, key }) => ({ name, version, key }));
  const body = {
    schema: 'engram/roi-features/1',
    patient_id: subject.patientId,
    session_date: subject.sessionDate,
    preprocessing_version: PIPELINE_VERSION,
    mri_roi_features: mri,
    pet_roi_features: pet,
    quality_metrics: {
      verdict: quality.verdict,
      mri_snr: quality.mri_snr,
      pet_mean_suvr: quality.pet_mean_suvr,
      registration_quality: quality.registration_quality,
      motion_artifacts: quality.motion_artifacts,
    },
    atlas_registration: {
      method: atlas.method,
      metric: atlas.metric,
      iterations: atlas.iterations,
      convergence: atlas.convergence,
    },
    region_list: {
      id: AAL_93.id,
      sha256: AAL_93.sha256,
      regions: AAL_93.regions.map(({ index, name, labels }) => ({ index, name, labels: [...labels] })),
    },
    units: AAL_93.units,
    head_size_ml,
    tissue_ml,
    pet: pet && (await petOf(json)),
    waiting: pet ? [] : ['pet' as const],
    artifacts: artifacts
      .filter(({ name }) => name !== ARTIFACTS.preprocessingLog)
      .map(({ name, sha256, bytes }) => ({ name, sha256, bytes })),
    lineage: {
      pipeline: PIPELINE_NAME,
      pipeline_version: PIPELINE_VERSION,
      engine_version: subject.engineVersion,
      device: outcome.device.name,
      atlas: subject.atlas,
      ...(atlas.segmenter ? { segmenter: atlas.segmenter } : {}),
      inputs: (['t1', 'pet'] as const).flatMap((role) => {
        const input = outcome.inputs[role];
        return input ? [{ role, sha256: input.contentSha256, study_uid: subject.studyUids?.[role] ?? null }] : [];
      }),
      tasks: lineageTasks,
    },
  };
  return roiFeatures.parse({ ...body, preprocessing_timestamp: outcome.finished, digest: digestOf(body) });
}

async function petOf(json: (name: string) => Promise<unknown>): Promise<RoiFeatures['pet']> {
  const { tracer } = petSummary.parse(await json('import-pet/pet.json'));
  const { frames, window_s } = averageSummary.parse(await json('pet-average/average.json'));
  return {
    tracer,
    reference_region: 'whole-cerebellum',
    constant_regions: [...CONSTANT_PET_REGIONS],
    frames,
    window_s,
  };
}
