/**
 * The objects of a session: the current view in the seed's layout and its versions. Every step may be repeated after a
 * crash. Readers see the old view until roi_features.json, written last, names the new objects.
 */
import { type ArtifactReference, sessionPrefix, versionPrefix } from '@engram/contracts';
import { EngramError } from '@engram/errors';
import type { Objects } from '@engram/objects';
import type { FeatureSet, FeatureSetVersion } from './feature-set.ts';

const ROI_FEATURES = 'roi_features.json';

async function copyChecked(objects: Objects, from: string, to: string, sha256: string, name: string): Promise<void> {
  if ((await objects.head(to))?.sha256 === sha256) return;
  const copied = await objects.copy(from, to);
  if (copied.sha256 !== sha256) {
    throw new EngramError('OBJECT_CORRUPT', `${name} is not the object that its run named`, { file: name });
  }
}

/** Moves what the view holds of a version below `versions/N/`; what is there already stays. */
async function archive(objects: Objects, set: FeatureSet, version: FeatureSetVersion): Promise<void> {
  const view = sessionPrefix(set.patient_key, set.session_date);
  const home = versionPrefix(set.patient_key, set.session_date, version.version);
  for (const { name, sha256 } of version.artifacts) {
    if (await objects.head(`${home}${name}`)) continue;
    const inView = await objects.head(`${view}${name}`);
    if (inView?.sha256 === sha256) await objects.copy(`${view}${name}`, `${home}${name}`);
  }
}

/**
 * Puts a new version into the view: archives the one it supersedes, copies the images, then switches.
 * @param before the feature set before this version, undefined for the first
 */
export async function storeVersion(
  objects: Objects,
  before: FeatureSet | undefined,
  after: FeatureSet,
  version: FeatureSetVersion,
  artifacts: readonly ArtifactReference[],
): Promise<void> {
  const superseded = before?.versions.find((each) => each.version === before.current);
  if (before && superseded) await archive(objects, before, superseded);
  const source = new Map(artifacts.map((artifact) => [artifact.name, artifact.key]));
  const view = sessionPrefix(after.patient_key, after.session_date);
  const kept = new Set(version.artifacts.map((artifact) => artifact.name));
  const features = version.artifacts.find((artifact) => artifact.name === ROI_FEATURES);
  if (!features)
    throw new EngramError('FEATURES_INCOMPLETE', 'the run names no roi_features.json', { file: ROI_FEATURES });
  await copyChecked(objects, source.get(ROI_FEATURES) ?? '', version.features_key, features.sha256, ROI_FEATURES);
  for (const { name, sha256 } of version.artifacts) {
    if (name !== ROI_FEATURES) await copyChecked(objects, source.get(name) ?? '', `${view}${name}`, sha256, name);
  }
  await copyChecked(objects, version.features_key, `${view}${ROI_FEATURES}`, features.sha256, ROI_FEATURES);
  // A PET image of the superseded version must not stand beside features that have none.
  for (const { name } of superseded?.artifacts ?? []) if (!kept.has(name)) await objects.remove(`${view}${name}`);
}

/** Brings the view in line after a retraction: an earlier version comes back, or the view loses its features. */
export async function withdrawView(objects: Objects, before: FeatureSet, after: FeatureSet): Promise<void> {
  const view = sessionPrefix(after.patient_key, after.session_date);
  const gone = before.versions.find((version) => version.version === before.current);
  const back = after.versions.find((version) => version.version === after.current);
  if (!gone || back?.version === gone.version) return;
  await archive(objects, before, gone);
  await objects.remove(`${view}${ROI_FEATURES}`);
  for (const { name } of gone.artifacts) await objects.remove(`${view}${name}`);
  if (!back) return;
  const home = versionPrefix(after.patient_key, after.session_date, back.version);
  for (const { name, sha256 } of back.artifacts) {
    if (name !== ROI_FEATURES) await copyChecked(objects, `${home}${name}`, `${view}${name}`, sha256, name);
  }
  const features = back.artifacts.find((artifact) => artifact.name === ROI_FEATURES);
  if (features) await copyChecked(objects, back.features_key, `${view}${ROI_FEATURES}`, features.sha256, ROI_FEATURES);
}
