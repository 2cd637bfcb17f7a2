import { describe, expect, test } from 'vitest';
import { seededRandom } from '../random.ts';
import { trainProgression } from '../train-progression.ts';
import { SMALL_FIT } from '../train-small.fixture.ts';
import { examplesOf, parseTable } from './longitudinal-table.ts';

const HEAD = 'RID,EXAMDATE,AGE,PTGENDER,PTEDUCAT,APOE4,MMSE,CDRSB,CDGLOBAL,ADAS13';
const table = `${HEAD}
1,2010-01-01,70.5,Female,16,1,28,1,0.5,14.33
1,2011-01-01,70.5,Female,16,1,26,2,0.5,
1,2012-01-01,70.5,Female,16,1,20,6,1,30
2,2010-06-01,80,Male,12,NA,-4,,,
`;

describe('a table of visits', () => {
  test('becomes one example a person who is followed', () => {
    const examples = examplesOf(parseTable(table, 'visits.csv'), seededRandom(2));
    expect(examples).toHaveLength(1);
    const [example] = examples;
    expect(example?.history).toMatchObject({ sex: 'female', educationYears: 16, apoe4: 1 });
    const index = example?.history.scores.some((each) => each.years < 0) ? 1 : 0;
    expect(example?.history.ageYears).toBeCloseTo(70.5 + index, 1);
    const mmseIn = (months: number): number | undefined => example?.targets[(months / 6 - 1) * 4];
    expect(mmseIn(12)).toBe(index === 0 ? 26 : 20);
    expect(mmseIn(6)).toBeNaN();
    expect(example?.event).toBe(index === 0 ? 3 : 1);
  });

  test('without a needed column, or with a broken row, is refused by name', () => {
    expect(() => parseTable('RID,EXAMDATE\n', 'v.csv')).toThrow(/no column MMSE/);
    expect(() => parseTable(`${HEAD}\n1,soon,70,Female,16,1,28,1,0.5,14\n`, 'v.csv')).toThrow(/row 2/);
    expect(() => parseTable(`${HEAD}\n1,2010-01-01,70\n`, 'v.csv')).toThrow(/row 2/);
  });

  test('with too few people is refused, and says how many it has', () => {
    expect(() => trainProgression({ ...SMALL_FIT, table: { name: 'v.csv', text: table } })).toThrow(/1 people/);
  });

  test('with enough people trains a model that names the table as its calibration source', () => {
    const random = seededRandom(4);
    const rows = Array.from({ length: 260 }, (_, person) =>
      [0, 1, 2, 3].map((year) => {
        const mmse = Math.round(Math.max(0, Math.min(30, 28 - year * random.uniform() * 2 + random.normal(0, 1))));
        return `${person},201${year}-01-01,72,Male,14,0,${mmse},${year / 2},0.5,${10 + year}`;
      }),
    ).flat();
    const { manifest, card } = trainProgression({
      ...SMALL_FIT,
      table: { name: 'v.csv', text: `${HEAD}\n${rows.join('\n')}\n` },
    });
    expect(manifest.calibration_source).toBe('v.csv');
    expect(manifest.model_version).toMatch(/-table-[0-9a-f]{12}$/);
    expect(card).not.toContain('SIMULATED');
  });
});
