/**
 * A site's own longitudinal table in the manner of ADNIMERGE or TADPOLE (one row a visit) as training examples.
 *
 * Columns: RID, EXAMDATE (YYYY-MM-DD), AGE (at baseline), PTGENDER, PTEDUCAT, APOE4, MMSE, CDRSB, ADAS13, and where the site
 * has it CDGLOBAL. Imaging columns of other software are not read: their volumes are not the ones Engram measures. Columns
 * `mri.<group>`, `fdg.<group>` and `amyloid.composite` (this repository's region groups) are.
 */
import { HORIZONS_MONTHS, SCORES, type Score } from '@engram/contracts';
import { EngramError } from '@engram/errors';
import type { History, ImagingAt, ScoreAt } from '../inputs/history.ts';
import { FDG_GROUPS, MRI_GROUPS } from '../inputs/region-groups.ts';
import type { Random } from '../random.ts';
import type { Example } from '../simulate/cohort.ts';

const SCORE_COLUMN: Readonly<Record<Score, string>> = {
  mmse: 'MMSE',
  cdr_global: 'CDGLOBAL',
  cdr_sob: 'CDRSB',
  adas_cog: 'ADAS13',
};
/** A visit counts for a horizon when it lies within three months of it. */
const WINDOW_YEARS = 0.25;
const DAY_MS = 86_400_000;

interface Visit {
  readonly years: number;
  readonly row: Readonly<Record<string, string>>;
}

/** RFC 4180 fields of one line; quoted line breaks do not occur in these tables and are refused by their column count. */
function fields(line: string): string[] {
  return [...`${line},`.matchAll(/("(?:[^"]|"")*"|[^,]*)(?:,|$)/g)]
    .slice(0, -1)
    .map(([, field = '']) => (field.startsWith('"') ? field.slice(1, -1).replaceAll('""', '"') : field).trim());
}

/** @throws TABLE_INVALID naming the column or row that cannot be read */
export function parseTable(text: string, file: string): Map<string, Visit[]> {
  const [head = '', ...lines] = text.split(/\r?\n/).filter((line) => line !== '');
  const columns = fields(head);
  for (const needed of ['RID', 'EXAMDATE', 'MMSE']) {
    if (!columns.includes(needed)) {
      throw new EngramError('TABLE_INVALID', `${file} has no column ${needed}`, { file, field: needed });
    }
  }
  const people = new Map<string, { date: number; row: Record<string, string> }[]>();
  lines.forEach((line, k) => {
    const values = fields(line);
    const row = Object.fromEntries(columns.map((column, c) => [column, values[c] ?? '']));
    const date = Date.parse(row['EXAMDATE'] ?? '');
    if (Number.isNaN(date) || values.length < columns.length) {
      throw new EngramError('TABLE_INVALID', `row ${k + 2} of ${file} cannot be read`, { file, field: 'EXAMDATE' });
    }
    const person = row['RID'] ?? '';
    people.set(person, [...(people.get(person) ?? []), { date, row }]);
  });
  return new Map(
    [...people].map(([person, visits]) => {
      const sorted = visits.toSorted((a, b) => a.date - b.date);
      const first = sorted[0]?.date ?? 0;
      return [person, sorted.map(({ date, row }) => ({ years: (date - first) / DAY_MS / 365.25, row }))];
    }),
  );
}

/** Empty, `NA`, and the negative codes that these tables write for missing are missing. */
function numberOf(row: Readonly<Record<string, string>>, column: string): number | undefined {
  const text = row[column] ?? '';
  const value = text === '' ? Number.NaN : Number(text);
  return Number.isFinite(value) ? value : undefined;
}

function scoreOf(row: Readonly<Record<string, string>>, score: Score): number | undefined {
  const value = numberOf(row, SCORE_COLUMN[score]);
  return value !== undefined && value >= 0 ? value : undefined;
}

function imaging(visits: readonly Visit[], index: number, columns: readonly string[]): ImagingAt[] {
  return visits.flatMap(({ years, row }) => {
    const groups = columns.map((column) => numberOf(row, column));
    return groups.every((value) => value !== undefined) ? [{ years: years - index, groups }] : [];
  });
}

function historyAt(visits: readonly Visit[], index: number): History {
  const first = visits[0]?.row ?? {};
  const past = visits.filter((visit) => visit.years <= index);
  const age = numberOf(first, 'AGE');
  const sex = (first['PTGENDER'] ?? '').toLowerCase();
  const scores: ScoreAt[] = past.flatMap(({ years, row }) =>
    SCORES.flatMap((score) => {
      const value = scoreOf(row, score);
      return value === undefined ? [] : [{ score, years: years - index, value }];
    }),
  );
  return {
    ageYears: age === undefined ? null : age + index,
    sex: sex === 'female' || sex === 'male' ? sex : null,
    educationYears: numberOf(first, 'PTEDUCAT') ?? null,
    apoe4: numberOf(first, 'APOE4') ?? null,
    scores,
    mri: imaging(
      past,
      index,
      MRI_GROUPS.map((group) => `mri.${group}`),
    ),
    fdg: imaging(
      past,
      index,
      FDG_GROUPS.map((group) => `fdg.${group}`),
    ),
    amyloid: imaging(past, index, ['amyloid.composite']),
  };
}

function exampleAt(visits: readonly Visit[], index: number): Example {
  const later = visits.filter((visit) => visit.years > index);
  const targets = new Float64Array(HORIZONS_MONTHS.length * SCORES.length).fill(Number.NaN);
  const history = historyAt(visits, index);
  let event = history.scores.some((each) => each.score === 'cdr_global' && each.value >= 1)
    ? 0
    : HORIZONS_MONTHS.length;
  let followed = 0;
  HORIZONS_MONTHS.forEach((months, h) => {
    const due = index + months / 12;
    const nearest = later
      .filter((visit) => Math.abs(visit.years - due) <= WINDOW_YEARS)
      .toSorted((a, b) => Math.abs(a.years - due) - Math.abs(b.years - due))[0];
    SCORES.forEach((score, s) => {
      targets[h * SCORES.length + s] = (nearest && scoreOf(nearest.row, score)) ?? Number.NaN;
    });
    const seen = later.filter((visit) => visit.years <= due + WINDOW_YEARS);
    if (seen.some((visit) => (scoreOf(visit.row, 'cdr_global') ?? 0) >= 1)) event = Math.min(event, h);
    if (later.some((visit) => visit.years >= due - WINDOW_YEARS && scoreOf(visit.row, 'cdr_global') !== undefined)) {
      followed = h + 1;
    }
  });
  return { history, targets, event, followed };
}

/** One example a person, at a visit drawn at random among those that are followed: patients are what a split divides. */
export function examplesOf(people: ReadonlyMap<string, readonly Visit[]>, random: Random): Example[] {
  return [...people.keys()].toSorted().flatMap((person) => {
    const visits = people.get(person) ?? [];
    const usable = visits.slice(0, -1).filter(({ row }) => SCORES.some((score) => scoreOf(row, score) !== undefined));
    const chosen = usable[random.below(usable.length)];
    return chosen ? [exampleAt(visits, chosen.years)] : [];
  });
}
