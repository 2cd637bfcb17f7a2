/**
 * The objects of a session: the current view in the seed's layout and its versions. What a version names lies with its run
 * and never changes, so all of this is made from the feature set alone and may be made again at any time. Readers see the
 * old view until roi_features.json, written last, names the new objects.
 */
import { ARTIFACTS, sessionPrefix, versionPrefix } from '@engram/contracts';
import { EngramError } from '@engram/errors';
import type { Objects } from '@engram/objects';
import { currentVersion, type FeatureSet, type FeatureSetVersion, type StoredArtifact } from './feature-set.ts';

const isDocument = ({ name }: StoredArtifact): boolean => name === ARTIFACTS.roiFeatures;

async function copyChecked(
  objects: Objects,
  from: string,
  to: string,
  { name, sha256 }: StoredArtifact,
): Promise<void> {
  if ((await objects.head(to))?.sha256 === sha256) return;
  const copied = await objects.copy(from, to);
  if (copied.sha256 !== sha256) {
    throw new EngramError('OBJECT_CORRUPT', `${name} is not the object that its run named`, { file: name });
  }
}

/** Keeps artifacts of a version below `versions/N/`. Versions of before their keys were kept have theirs in the view. */
async function archive(
  objects: Objects,
  set: FeatureSet,
  { version }: FeatureSetVersion,
  artifacts: readonly StoredArtifact[],
): Promise<void> {
  const home = versionPrefix(set.patient_key, set.session_date, version);
  const view = sessionPrefix(set.patient_key, set.session_date);
  for (const artifact of artifacts) {
    const { name, sha256, key } = artifact;
    const isLost = key === undefined && (await objects.head(`${view}${name}`))?.sha256 !== sha256;
    if (!isLost) await copyChecked(objects, key ?? `${view}${name}`, `${home}${name}`, artifact);
  }
}

/** Makes the view show the version in use and nothing else; without one it loses its features first. */
export async function showCurrent(objects: Objects, set: FeatureSet): Promise<void> {
  const view = sessionPrefix(set.patient_key, set.session_date);
  const current = currentVersion(set);
  for (const version of set.versions) {
    await archive(
      objects,
      set,
      version,
      version === current ? version.artifacts.filter(isDocument) : version.artifacts,
    );
  }
  const shown = current?.artifacts ?? [];
  if (current) {
    const home = versionPrefix(set.patient_key, set.session_date, current.version);
    for (const artifact of [...shown].sort((a, b) => Number(isDocument(a)) - Number(isDocument(b)))) {
      await copyChecked(objects, artifact.key ?? `${home}${artifact.name}`, `${view}${artifact.name}`, artifact);
    }
  }
  // A PET image of a superseded version must not stand beside features that have none.
  const names = new Set(set.versions.flatMap(({ artifacts }) => artifacts).map(({ name }) => name));
  for (const { name } of shown) names.delete(name);
  for (const name of [...names].sort(
    (a, b) => Number(b === ARTIFACTS.roiFeatures) - Number(a === ARTIFACTS.roiFeatures),
  )) {
    if (await objects.head(`${view}${name}`)) await objects.remove(`${view}${name}`);
  }
}
