/**
 * Which tracer a PET was made with: by code, else by name, never guessed. Codes: DICOM PS3.16, CID 4021 PET
 * Radiopharmaceutical; names as scanners and BIDS write them.
 */
import type { SeriesFacts } from './series-facts.ts';

export const TRACERS = ['FDG', 'FBP', 'FBB', 'FLUTE', 'PIB', 'NAV4694', 'FTP', 'MK6240', 'PI2620'] as const;
/** FBP florbetapir (AV45), FBB florbetaben, FLUTE flutemetamol, FTP flortaucipir (AV1451), NAV4694 flutafuranol. */
export type Tracer = (typeof TRACERS)[number];

export interface TracerFinding {
  /** null: not said, or a tracer that is not known here. */
  readonly tracer: Tracer | null;
  readonly source: 'code' | 'name' | 'none';
  readonly reason: string;
}

/** By scheme and value. C-B…, C-D… and C-E… are SNOMED-RT, which scanners still write under three names. */
const CODES: Readonly<Record<string, Tracer>> = {
  'SCT:35321007': 'FDG',
  'SRT:C-B1031': 'FDG',
  'SCT:456995000': 'FBP',
  'SRT:C-E0269': 'FBP',
  'SCT:712736002': 'FBB',
  'SRT:C-D6858': 'FBB',
  'DCM:126501': 'FBB',
  'SCT:456997008': 'FLUTE',
  'SRT:C-E0267': 'FLUTE',
  'DCM:126500': 'PIB',
  'SCT:879808000': 'FTP',
  'DCM:126502': 'FTP',
  'UMLS:C4547429': 'FTP',
  'UMLS:C4506764': 'MK6240',
};

const RETIRED_NAMES_OF_SRT = new Set(['SNM3', '99SDM']);

/** Matched on letters and digits only: `[18F]-AV 1451` is `18fav1451`. */
const NAMES: readonly (readonly [Tracer, RegExp])[] = [
  ['FDG', /fdg|fluorodeoxyglucose|fludeoxyglucose/],
  ['FBP', /florbetapir|av45|amyvid|fbp/],
  ['FBB', /florbetaben|neuraceq|bay949172|fbb/],
  ['FLUTE', /flutemetamol|vizamyl|flute|fmm/],
  ['PIB', /pittsburghcompoundb|pib/],
  ['NAV4694', /nav4694|flutafuranol|azd4694/],
  ['FTP', /flortaucipir|av1451|tauvid|t807|^(18f|f18)?ftp(18f|f18)?$/],
  ['MK6240', /mk6240/],
  ['PI2620', /pi2620/],
];

/** A tracer by its name, such as `F18-AV45`; null where the name fits none or several. */
export function tracerOfName(name: string): Tracer | null {
  const plain = name.toLowerCase().replace(/[^a-z0-9]/g, '');
  const found = NAMES.filter(([, pattern]) => pattern.test(plain)).map(([tracer]) => tracer);
  return found.length === 1 ? found[0] : null;
}

/** From RadiopharmaceuticalCodeSequence, then its meaning, then Radiopharmaceutical. */
export function tracerOf(drug: SeriesFacts['radiopharmaceutical']): TracerFinding {
  for (const { scheme, value } of drug.codes) {
    const tracer = CODES[`${RETIRED_NAMES_OF_SRT.has(scheme) ? 'SRT' : scheme}:${value}`];
    if (tracer !== undefined) return { tracer, source: 'code', reason: `code ${scheme} ${value}` };
  }
  for (const name of [...drug.codes.map(({ meaning }) => meaning), drug.text]) {
    const tracer = tracerOfName(name);
    if (tracer !== null) return { tracer, source: 'name', reason: `named ${tracer} by the scanner` };
  }
  const said = drug.codes.length > 0 || drug.text !== '';
  return {
    tracer: null,
    source: 'none',
    reason: said ? 'the radiopharmaceutical is not one that is known' : 'no radiopharmaceutical is given',
  };
}
