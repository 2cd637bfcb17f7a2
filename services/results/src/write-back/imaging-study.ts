/** The seed's two extensions on the ImagingStudy; nothing else of the study is ours to touch. */
import { FHIR_URLS, type PreprocessingStatus } from '@engram/contracts';
import { EngramError, isEngramError } from '@engram/errors';
import type { FhirClient } from '@engram/fhir';
import type { Extension, ImagingStudy } from '@medplum/fhirtypes';

const TRIES = 5;
const OURS: readonly string[] = [FHIR_URLS.preprocessingStatus, FHIR_URLS.preprocessedFeaturesUrl];

/** The study with our extensions as given; undefined when they already say so. */
export function withStatus(
  study: ImagingStudy,
  status: PreprocessingStatus,
  featuresUrl: string | null,
): ImagingStudy | undefined {
  const others = (study.extension ?? []).filter((extension) => !OURS.includes(extension.url));
  const ours: Extension[] = [
    { url: FHIR_URLS.preprocessingStatus, valueCode: status },
    ...(featuresUrl === null ? [] : [{ url: FHIR_URLS.preprocessedFeaturesUrl, valueUrl: featuresUrl }]),
  ];
  const before = (study.extension ?? []).filter((extension) => OURS.includes(extension.url));
  const same = JSON.stringify(before) === JSON.stringify(ours);
  return same ? undefined : { ...study, extension: [...others, ...ours] };
}

export interface Said {
  readonly status: PreprocessingStatus;
  readonly featuresUrl: string | null;
}

/**
 * Reads, changes our extensions, writes with If-Match; reads again when someone else wrote meanwhile.
 * @param saying asked after each reading, so that what is written was so after what it replaces; undefined: nothing is to be said
 * @returns false when the study is gone from the server or already says so.
 * @throws FHIR_CONFLICT after five tries.
 */
export async function writeStatus(
  fhir: FhirClient,
  studyId: string,
  saying: () => Promise<Said | undefined>,
): Promise<boolean> {
  for (let attempt = 1; ; attempt++) {
    const study = await fhir.read('ImagingStudy', studyId);
    if (study === undefined) return false;
    const said = await saying();
    const changed = said && withStatus(study, said.status, said.featuresUrl);
    if (changed === undefined) return false;
    const version = study.meta?.versionId;
    try {
      await fhir.update({ ...changed, id: studyId }, version === undefined ? {} : { ifMatch: version });
      return true;
    } catch (error) {
      if (!isEngramError(error, 'FHIR_CONFLICT')) throw error;
      if (attempt === TRIES)
        throw new EngramError('FHIR_CONFLICT', `ImagingStudy/${studyId} kept changing`, { cause: error });
    }
  }
}
