/** Looks at a study as it is now: on the FHIR server, and in the PACS where one is named. Reads, decides nothing. */
import { FHIR_URLS } from '@engram/contracts';
import {
  chooseSeries,
  type DicomJson,
  type DicomWeb,
  factsOfImagingStudy,
  factsOfMetadata,
  type SeriesFacts,
} from '@engram/dicom';
import { asEngramError, isEngramError } from '@engram/errors';
import type { ImagingStudy, ImagingStudySeries } from '@medplum/fhirtypes';
import { type LocateDeps, type Location, locateSeries, needLocation } from './locate-images.ts';
import type { Candidate, Problem, StudySeries } from './model.ts';
import { fingerprintOf, type SeriesContent, studyUidOf, studyVersionOf } from './study-digest.ts';

export interface ObserveDeps extends LocateDeps {
  readonly dicomWeb: (base: string) => DicomWeb;
}

export interface ObservedStudy {
  readonly study_id: string;
  readonly study_uid: string;
  readonly study_version: string;
  readonly fingerprint: string;
  readonly series: readonly StudySeries[];
  readonly t1: Candidate | null;
  readonly pet: Candidate | null;
  /** Instances announced and found; found is null where nobody lists them. */
  readonly announced: number;
  readonly found: number | null;
  /** The PACS did not answer: look again. */
  readonly unreachable: boolean;
  readonly problem: Problem | null;
}

const SERIES_UID = '0020000E';
const SOP_UID = '00080018';

function textOf(json: DicomJson, tag: string): string {
  const element = json[tag];
  const value: unknown =
    element !== null && typeof element === 'object' && 'Value' in element ? element.Value : undefined;
  const first: unknown = Array.isArray(value) ? value[0] : undefined;
  return typeof first === 'string' ? first : '';
}

interface Metadata {
  readonly facts: readonly SeriesFacts[];
  readonly instances: ReadonlyMap<string, readonly string[]>;
}

async function readMetadata(deps: ObserveDeps, base: string, studyUid: string): Promise<Metadata> {
  const all = await deps.dicomWeb(base).metadata(studyUid);
  const instances = Map.groupBy(all, (json) => textOf(json, SERIES_UID));
  return {
    facts: factsOfMetadata(all),
    instances: new Map([...instances].map(([uid, group]) => [uid, group.map((json) => textOf(json, SOP_UID))])),
  };
}

interface Place {
  readonly series: ImagingStudySeries;
  readonly location: Location | undefined;
  readonly problem: Problem | null;
}

async function placeOf(deps: ObserveDeps, study: ImagingStudy, series: ImagingStudySeries): Promise<Place> {
  try {
    return { series, location: await locateSeries(deps, study, series), problem: null };
  } catch (error) {
    const coded = asEngramError(error);
    if (coded.retryable) throw coded;
    return { series, location: undefined, problem: { code: coded.code, reason: coded.message } };
  }
}

/**
 * @throws STUDY_UID_MISSING; retryable failures of the FHIR server. What is wrong with the images is in `problem`.
 */
export async function observeStudy(deps: ObserveDeps, study: ImagingStudy & { id: string }): Promise<ObservedStudy> {
  const study_uid = studyUidOf(study);
  const listed = study.series ?? [];
  const places = await Promise.all(listed.map((series) => placeOf(deps, study, series)));
  // No archive is asked about a study that no pipeline can use.
  const imaging = places.filter(({ series }) => ['MR', 'PT'].includes(series.modality.code ?? ''));
  const bases = new Set(imaging.flatMap(({ location }) => (location?.kind === 'dicomweb' ? [location.base] : [])));
  const metadata: Metadata[] = [];
  let unreachable = false;
  for (const base of bases) {
    try {
      metadata.push(await readMetadata(deps, base, study_uid));
    } catch (error) {
      // Not there yet, or down: the images may still be on their way into the PACS.
      if (!isEngramError(error, 'UPSTREAM_FAILED') && !isEngramError(error, 'NOT_FOUND')) throw error;
      unreachable = true;
    }
  }
  const fromFhir = new Map(factsOfImagingStudy(listed.flatMap(plainSeries)).map((facts) => [facts.series_uid, facts]));
  const fromPacs = new Map(metadata.flatMap(({ facts }) => facts.map((one) => [one.series_uid, one])));
  const inPacs = new Map(metadata.flatMap(({ instances }) => [...instances]));

  const content = listed.map(({ uid, instance, numberOfInstances }): SeriesContent => {
    const fhir = (instance ?? []).flatMap((one) => one.uid ?? []);
    return { series_uid: uid, instances: inPacs.get(uid) ?? fhir, count: numberOfInstances ?? 0 };
  });
  const facts = places.flatMap(({ series: { uid, extension }, location, problem }): SeriesFacts[] => {
    const found = fromPacs.get(uid) ?? fromFhir.get(uid);
    if (!found) return [];
    const text = extension?.find(({ url }) => url === FHIR_URLS.tracer)?.valueString;
    const drug = text === undefined || fromPacs.has(uid) ? found.radiopharmaceutical : { codes: [], text };
    // What lies behind a URL may be one NIfTI file: its number of instances is no number of slices.
    return [{ ...found, radiopharmaceutical: drug, ...(location?.kind === 'url' || problem ? { images: null } : {}) }];
  });
  const choice = chooseSeries(facts);
  const decisions = new Map(choice.decisions.map((decision) => [decision.series_uid, decision]));
  const series = content.map(({ series_uid, instances, count }): StudySeries => {
    const decision = decisions.get(series_uid);
    return {
      series_uid,
      modality: facts.find((one) => one.series_uid === series_uid)?.modality ?? '',
      instances: instances.length || count,
      role: decision?.role ?? 'none',
      reason: decision?.reason ?? 'the series has no modality',
    };
  });

  const problems: Problem[] = [];
  const candidate = (chosen: SeriesFacts | undefined, tracer: string | null): Candidate | null => {
    if (!chosen) return null;
    const place = places.find((one) => one.series.uid === chosen.series_uid);
    if (place?.problem) {
      problems.push(place.problem);
      return null;
    }
    try {
      const location = needLocation(place?.location);
      const instances = series.find(({ series_uid }) => series_uid === chosen.series_uid)?.instances ?? 0;
      const written = (place?.series.started ?? study.started ?? chosen.acquired).slice(0, 10);
      return {
        series_uid: chosen.series_uid,
        source:
          location.kind === 'url'
            ? location
            : { kind: 'dicomweb', base: location.base, study_uid, series_uid: chosen.series_uid, instances },
        tracer,
        acquired: /^\d{4}-\d{2}-\d{2}$/.test(written) ? written : null,
        reason: decisions.get(chosen.series_uid)?.reason ?? '',
      };
    } catch (error) {
      const { code, message } = asEngramError(error);
      problems.push({ code, reason: message });
      return null;
    }
  };
  const t1 = candidate(choice.t1, null);
  const pet = candidate(choice.pet, choice.tracer?.tracer ?? null);
  if ([t1, pet].some((one) => one !== null && one.acquired === null)) {
    problems.push({ code: 'STUDY_DATE_MISSING', reason: 'neither the study nor its series says a day' });
  }

  const announced = Math.max(study.numberOfInstances ?? 0, sum(listed.map((one) => one.numberOfInstances ?? 0)));
  const isListed = bases.size > 0 || content.some(({ instances }) => instances.length > 0);
  return {
    study_id: study.id,
    study_uid,
    study_version: studyVersionOf(content),
    fingerprint: fingerprintOf(study),
    series,
    t1,
    pet,
    announced,
    found: isListed ? sum(content.map(({ instances }) => instances.length)) : null,
    unreachable,
    problem: problems[0] ?? null,
  };
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** FHIR's series without the parts that may be undefined. */
function plainSeries({ uid, number, modality, description, numberOfInstances, started, bodySite }: ImagingStudySeries) {
  if (!uid) return [];
  return [
    {
      uid,
      modality: modality.code === undefined ? {} : { code: modality.code },
      ...(number === undefined ? {} : { number }),
      ...(description === undefined ? {} : { description }),
      ...(numberOfInstances === undefined ? {} : { numberOfInstances }),
      ...(started === undefined ? {} : { started }),
      ...(bodySite?.display === undefined ? {} : { bodySite: { display: bodySite.display } }),
    },
  ];
}
