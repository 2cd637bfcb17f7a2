/** Two digests of a study: of its content (its version), and of what its FHIR resource says. Pure. */
import { createHash } from 'node:crypto';
import { canonicalJson, FHIR_URLS } from '@engram/contracts';
import { EngramError } from '@engram/errors';
import type { Extension, ImagingStudy } from '@medplum/fhirtypes';

/** What results writes into the study. */
const OWN: ReadonlySet<string> = new Set([FHIR_URLS.preprocessingStatus, FHIR_URLS.preprocessedFeaturesUrl]);
const UID = /^\d[\d.]{0,63}$/;
const UID_SYSTEMS = new Set(['urn:dicom:uid', 'urn:ietf:rfc:3986']);

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Study Instance UID, with or without `urn:oid:`. @throws STUDY_UID_MISSING */
export function studyUidOf({ identifier }: ImagingStudy): string {
  for (const { system, value } of identifier ?? []) {
    const uid = value?.replace(/^urn:oid:/, '') ?? '';
    if (UID_SYSTEMS.has(system ?? '') && UID.test(uid)) return uid;
  }
  throw new EngramError('STUDY_UID_MISSING', 'the ImagingStudy has no identifier of system urn:dicom:uid', {
    field: 'ImagingStudy.identifier',
  });
}

export interface SeriesContent {
  readonly series_uid: string;
  /** SOP instance UIDs; empty where nobody lists them. */
  readonly instances: readonly string[];
  /** Announced where they are not listed. */
  readonly count: number;
}

/** 16 hexadecimal digits: the same series and instances give the same version, in whatever order they are told. */
export function studyVersionOf(series: readonly SeriesContent[]): string {
  const lines = series.map(({ series_uid, instances, count }) =>
    instances.length > 0 ? `${series_uid} ${[...new Set(instances)].sort().join(',')}` : `${series_uid} #${count}`,
  );
  return sha256([...new Set(lines)].sort().join('\n')).slice(0, 16);
}

const isOwn = ({ url }: Extension): boolean => OWN.has(url);

/** Without meta, narrative and what Engram itself wrote: else our write-back would wake us for ever. */
export function fingerprintOf({ meta: _m, text: _t, extension, ...rest }: ImagingStudy): string {
  const others = (extension ?? []).filter((one) => !isOwn(one));
  return sha256(canonicalJson({ ...rest, extension: others })).slice(0, 32);
}
