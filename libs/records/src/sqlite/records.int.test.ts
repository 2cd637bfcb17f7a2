import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { recordsConformance } from '../conformance.ts';
import { openRecords } from '../open.ts';
import type { Records } from '../port.ts';
import { openDatabase } from './database.ts';
import { orderSql, whereSql } from './query.ts';
import { openSqliteRecords } from './records.ts';

const folder = () => mkdtempSync(join(tmpdir(), 'engram-records-'));

recordsConformance('sqlite', async () => {
  const root = folder();
  const url = `sqlite://${join(root, 'records.db')}?synchronous=normal`;
  let ahead = 0;
  const opened: Records[] = [];
  const open = () => {
    const records = openSqliteRecords(url, () => Date.now() + ahead);
    opened.push(records);
    return records;
  };
  return {
    records: open(),
    another: async () => open(),
    advance(ms) {
      ahead += ms;
    },
    async close() {
      for (const records of opened) await records.close();
      rmSync(root, { recursive: true, force: true });
    },
  };
});

describe('openRecords', () => {
  test('memory needs no file', async () => {
    const records = await openRecords('sqlite::memory:');
    const things = records.collection<{ a: number }>({ name: 'test.things' });
    await things.insert('1', { a: 1 });
    expect((await things.get('1'))?.value).toEqual({ a: 1 });
    await records.close();
  });

  test.each(['redis://x', 'sqlite:', 'sqlite:///x.db?synchronous=never', 'nonsense'])('%s is refused', async (url) => {
    await expect(openRecords(url)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
});

test('the first of an ordered search is found by its index, without sorting', async () => {
  const root = folder();
  const url = `sqlite://${join(root, 'records.db')}`;
  const records = openSqliteRecords(url);
  const orderBy = [
    ['rank', 'desc'],
    ['at', 'asc'],
  ] as const;
  records.collection({ name: 'test.runs', indexes: ['state'], ordered: [{ where: ['open'], orderBy }] });
  const database = openDatabase(url);
  const plan = (text: string) => database.all(`EXPLAIN QUERY PLAN ${text}`).map((row) => String(row['detail']));
  const where = whereSql({ open: true }, new Set(['open']));
  const order = orderSql(orderBy, new Set(['rank', 'at']));
  const text = `SELECT id FROM "test.runs" WHERE removed = 0 AND ${where.text.replace('?', '1')} ORDER BY ${order.text} LIMIT 1`;
  expect(plan(text)).toEqual([
    expect.stringMatching(/^SEARCH test\.runs USING .*INDEX test\.runs:ordered:open,rank,at/),
  ]);
  database.close();
  await records.close();
  rmSync(root, { recursive: true, force: true });
});

// The oracle of durability: a process that is killed while it writes without pause. Whatever it said was written is there.
test('what a killed process had been told was written is still there, whole', async () => {
  const root = folder();
  const url = `sqlite://${join(root, 'records.db')}`;
  const child = spawn(process.execPath, [join(import.meta.dirname, 'endless-writer.fixture.ts'), url], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let acknowledged = -1;
  for await (const chunk of child.stdout) {
    const numbers = String(chunk).trim().split('\n').map(Number);
    acknowledged = Math.max(acknowledged, ...numbers);
    if (acknowledged >= 200) child.kill('SIGKILL');
  }
  const records = await openRecords(url);
  const writes = records.collection<{ n: number; filler: string }>({ name: 'test.writes', indexes: ['n'] });
  const page = await writes.find({ orderBy: [['n', 'asc']], limit: 1000 });
  const numbers = page.records.map((record) => record.value.n);
  expect(numbers.slice(0, acknowledged + 1)).toEqual(Array.from({ length: acknowledged + 1 }, (_, n) => n));
  for (const { value } of page.records) expect(value.filler).toHaveLength(2000);
  await records.close();
  rmSync(root, { recursive: true, force: true });
});
