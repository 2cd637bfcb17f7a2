/** Where the images of a study lie: a DICOMweb endpoint, or a URL; allow-listed or refused. */
import { FHIR_URLS } from '@engram/contracts';
import { EngramError } from '@engram/errors';
import type { FhirClient } from '@engram/fhir';
import { type AllowList, checkAllowed } from '@engram/http';
import type { Endpoint, Extension, ImagingStudy, ImagingStudySeries, Reference } from '@medplum/fhirtypes';

export type Location =
  | { readonly kind: 'dicomweb'; readonly base: string }
  | { readonly kind: 'url'; readonly url: string };

export interface LocateDeps {
  readonly fhir: FhirClient;
  readonly allow: AllowList;
}

const imageUrlOf = (extensions: readonly Extension[] | undefined): string | undefined => {
  const found = extensions?.find(({ url }) => url === FHIR_URLS.imageUrl);
  return found?.valueUrl ?? found?.valueUri ?? found?.valueString;
};

async function readEndpoint(
  fhir: FhirClient,
  study: ImagingStudy,
  { reference }: Reference,
): Promise<Endpoint | undefined> {
  if (reference?.startsWith('#')) {
    const contained = study.contained?.find(
      ({ id, resourceType }) => `#${id}` === reference && resourceType === 'Endpoint',
    );
    return contained?.resourceType === 'Endpoint' ? contained : undefined;
  }
  const id = /(?:^|\/)Endpoint\/([A-Za-z0-9\-.]{1,64})$/.exec(reference ?? '')?.[1];
  return id === undefined ? undefined : fhir.read('Endpoint', id);
}

const UNUSABLE = new Set(['off', 'error', 'entered-in-error']);

function locationOf({ connectionType, address, status }: Endpoint): Location | undefined {
  if (UNUSABLE.has(status ?? '') || !address) return undefined;
  if (connectionType?.code === 'dicom-wado-rs' || connectionType?.code === 'dicom-qido-rs') {
    // Some servers give the study's own address.
    return { kind: 'dicomweb', base: address.replace(/\/studies(\/.*)?$/, '').replace(/\/+$/, '') };
  }
  return /^(file|s3|https?):/.test(address) ? { kind: 'url', url: address } : undefined;
}

/** The series' own place before the study's; undefined when nobody says. @throws URL_REFUSED, FILE_NOT_FOUND */
export async function locateSeries(
  { fhir, allow }: LocateDeps,
  study: ImagingStudy,
  series: ImagingStudySeries,
): Promise<Location | undefined> {
  for (const holder of [series, study]) {
    const url = imageUrlOf(holder.extension);
    if (url !== undefined) {
      await checkAllowed(url, allow);
      return { kind: 'url', url };
    }
    for (const reference of holder.endpoint ?? []) {
      const endpoint = await readEndpoint(fhir, study, reference);
      const location = endpoint && locationOf(endpoint);
      if (!location) continue;
      await checkAllowed(location.kind === 'url' ? location.url : location.base, allow);
      return location;
    }
  }
  return undefined;
}

/** For a series that was chosen. @throws STUDY_NO_IMAGES */
export function needLocation(location: Location | undefined): Location {
  if (location) return location;
  throw new EngramError('STUDY_NO_IMAGES', 'neither an Endpoint nor an image URL says where the images lie', {
    field: 'ImagingStudy.endpoint',
  });
}
