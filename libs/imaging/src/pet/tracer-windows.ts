/** When each tracer's uptake is read: seconds after injection, with the source. Names are lower case. */
export interface TracerWindow {
  /** Start and end, seconds after injection. */
  readonly window: readonly [number, number];
  readonly source: string;
}

const minutes = (from: number, to: number): readonly [number, number] => [from * 60, to * 60];
const ADNI = 'ADNI3 PET technical procedures manual';

const WINDOWS: Readonly<Record<string, TracerWindow>> = {
  fdg: { window: minutes(30, 60), source: ADNI },
  florbetapir: { window: minutes(50, 70), source: ADNI },
  florbetaben: { window: minutes(90, 110), source: ADNI },
  flutemetamol: { window: minutes(90, 110), source: 'Battle et al., EJNMMI Research 8:107, 2018' },
  pib: { window: minutes(50, 70), source: "Klunk et al., Alzheimer's & Dementia 11:1, 2015 (Centiloid)" },
  nav4694: { window: minutes(50, 70), source: 'Rowe et al., J Nucl Med 57:1233, 2016' },
  flortaucipir: { window: minutes(80, 100), source: 'Southekal et al., J Nucl Med 59:944, 2018' },
  mk6240: { window: minutes(90, 110), source: "Pascoal et al., Alzheimer's Research & Therapy 10:74, 2018" },
};

/** The names that come in headers and BIDS sidecars. */
const ALIASES: Readonly<Record<string, string>> = {
  fludeoxyglucose: 'fdg',
  fluorodeoxyglucose: 'fdg',
  '18ffdg': 'fdg',
  av45: 'florbetapir',
  amyvid: 'florbetapir',
  fbb: 'florbetaben',
  bay949172: 'florbetaben',
  neuraceq: 'florbetaben',
  vizamyl: 'flutemetamol',
  fmm: 'flutemetamol',
  '11cpib': 'pib',
  pittsburghcompoundb: 'pib',
  azd4694: 'nav4694',
  flutafuranol: 'nav4694',
  av1451: 'flortaucipir',
  t807: 'flortaucipir',
  tauvid: 'flortaucipir',
};

/**
 * The window of a tracer by its usual name or an alias, whatever the case, spaces, hyphens and isotope in front
 * (`18F-AV45`, `[18F]Florbetapir`); undefined when it is not known, which is never guessed.
 */
export function tracerWindow(name: string): TracerWindow | undefined {
  const plain = name.toLowerCase().replace(/[^a-z0-9]/g, '');
  for (const key of [plain, plain.replace(/^(18f|f18|11c|c11)/, ''), plain.replace(/(18f|f18|11c|c11)$/, '')]) {
    const found = WINDOWS[key] ?? WINDOWS[ALIASES[key] ?? ''];
    if (found !== undefined) return found;
  }
  return undefined;
}
