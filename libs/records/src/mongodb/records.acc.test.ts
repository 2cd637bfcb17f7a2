/** The port's promises on a MongoDB server, and those of them that rest on the order of single steps. */
import { setTimeout as sleep } from 'node:timers/promises';
import { events, makeEvent } from '@engram/contracts';
import { isEngramError } from '@engram/errors';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { recordsConformance } from '../conformance.ts';
import { modify } from '../modify.ts';
import type { CollectionDefinition, Records } from '../port.ts';
import { openMongoRecords } from './records.ts';
import { dropDatabase, freshMongoUrl, MONGODB_RESTART, MONGODB_URL, restartMongo } from './server.fixture.ts';

interface Names {
  readonly names: readonly string[];
}
const definition: CollectionDefinition<Names> = { name: 'test.names' };

const event = (subject: string) =>
  makeEvent(events.runRequested, {
    source: '/engram/ingestion',
    subject,
    subjectVersion: 1,
    patientKey: 'abcdefghijklmnopqrstuvwxyz',
    time: new Date(0),
    data: events.runRequested.example,
  });

describe.skipIf(MONGODB_URL === undefined)('a MongoDB server (needs MONGODB_URL)', () => {
  recordsConformance('mongodb', async () => {
    const url = freshMongoUrl();
    let ahead = 0;
    const opened: Records[] = [];
    const open = async () => {
      const records = await openMongoRecords(url, () => Date.now() + ahead);
      opened.push(records);
      return records;
    };
    return {
      records: await open(),
      another: open,
      advance(ms) {
        ahead += ms;
      },
      async close() {
        for (const records of opened) await records.close();
        await dropDatabase(url);
      },
    };
  });

  let url: string;
  let records: Records;
  let another: Records;
  beforeEach(async () => {
    url = freshMongoUrl();
    records = await openMongoRecords(url);
    another = await openMongoRecords(url);
  });
  afterEach(async () => {
    await records.close();
    await another.close();
    await dropDatabase(url);
  });

  test('of 20 racers for an id exactly one inserts, and only its event leaves', async () => {
    const [mine, theirs] = [records.collection(definition), another.collection(definition)];
    const racers = Array.from({ length: 20 }, (_, i) => ({ name: `r${i}`, event: event(`s-${i}`) }));
    const inserts = racers.map(({ name, event }, i) =>
      (i % 2 ? mine : theirs).insert('one', { names: [name] }, { events: [event] }),
    );
    const results = await Promise.allSettled(inserts);
    const won = results.flatMap((result, i) => (result.status === 'fulfilled' ? [i] : []));
    expect(won).toHaveLength(1);
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'RECORD_EXISTS' });
    }
    const winner = racers[won[0] ?? -1];
    expect((await mine.get('one'))?.value.names).toEqual([winner?.name]);
    expect((await mine.pendingEvents(100)).map((item) => item.event.id)).toEqual([winner?.event.id]);
  });

  test('20 racers that change one record all do, each once with its event, in the order of their writes', async () => {
    const [mine, theirs] = [records.collection(definition), another.collection(definition)];
    await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        modify(i % 2 ? mine : theirs, 'one', (current) => ({
          value: { names: [...(current?.names ?? []), `s-${i}`] },
          options: { events: [event(`s-${i}`)] },
        })),
      ),
    );
    const stored = await mine.get('one');
    expect(stored?.revision).toBe(20);
    expect(new Set(stored?.value.names).size).toBe(20);
    const leaving = (await theirs.pendingEvents(100)).map((item) => item.event.subject);
    expect(leaving).toEqual(stored?.value.names);
  });

  test('any JSON comes back as it was, whatever its names', async () => {
    const values = records.collection<unknown>({ name: 'test.values' });
    const names = ['a.b', '$set', '%2e', '', '_bsontype', '__proto__', 'constructor', 'toJSON', 'é\u{1f9e0}', '0'];
    const value = {
      ...Object.fromEntries(names.map((name, i) => [name, { [name]: [i, null, {}, []] }])),
      n: [1e300, -0.5],
    };
    await values.insert('a', value);
    expect((await values.get('a'))?.value).toEqual(JSON.parse(JSON.stringify(value)));
    await values.replace('a', 1, { nested: value });
    expect((await values.get('a'))?.value).toEqual(JSON.parse(JSON.stringify({ nested: value })));
  });

  test('an event leaves as it was written, empty objects and all', async () => {
    const mine = records.collection(definition);
    const written = { ...event('s-1'), data: { ...events.runRequested.example, parameters: { 'a.b': {}, none: {} } } };
    await mine.insert('a', { names: [] }, { events: [written] });
    await mine.replace('a', 1, { names: [] }, { events: [{ ...written, id: 'another' }] });
    const leaving = (await mine.pendingEvents(10)).map((item) => item.event);
    expect(leaving).toEqual([written, { ...written, id: 'another' }]);
  });

  test('a record removed while its event leaves is gone once it has', async () => {
    const mine = records.collection(definition);
    const [one, two] = [event('s-1'), event('s-2')];
    await mine.insert('a', { names: [] }, { events: [one] });
    await mine.remove('a');
    await mine.insert('a', { names: ['new'] }, { events: [two] });
    await mine.markPublished([{ id: 'a', eventId: one.id }]);
    expect((await mine.get('a'))?.value.names).toEqual(['new']);
    expect((await mine.pendingEvents(10)).map((item) => item.event.id)).toEqual([two.id]);
  });

  test('a unique tuple that is new holds for the records there, and one that they break is said to be broken', async () => {
    const before = records.collection<{ kind: string; on: string }>({ name: 'test.visits' });
    await before.insert('a', { kind: 'cup', on: 'monday' });
    await before.insert('b', { kind: 'cup', on: 'tuesday' });
    const after = another.collection<{ kind: string; on: string }>({ name: 'test.visits', unique: [['kind', 'on']] });
    await expect(after.insert('c', { kind: 'cup', on: 'monday' })).rejects.toMatchObject({ code: 'RECORD_EXISTS' });
    const third = await openMongoRecords(url);
    const broken = third.collection<{ kind: string }>({ name: 'test.visits', unique: [['kind']] });
    await expect(broken.get('a')).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    await third.close();
  });

  test('a server that does not answer, or a URL that will not do, is said without the URL', async () => {
    const silent = 'mongodb://user:a-secret@127.0.0.1:1/x?serverSelectionTimeoutMS=300';
    const error: unknown = await openMongoRecords(silent).catch((thrown: unknown) => thrown);
    expect(isEngramError(error, 'UPSTREAM_FAILED')).toBe(true);
    expect(String(error)).not.toContain('secret');
    await expect(openMongoRecords('mongodb://127.0.0.1/x?nonsense=1')).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    });
  });

  test.skipIf(MONGODB_RESTART === undefined)(
    'a server restarted in the middle loses nothing and doubles nothing (needs MONGODB_RESTART, a shell command)',
    async () => {
      const mine = records.collection(definition);
      const restarting = sleep(200).then(restartMongo);
      // As a handler does: what failed for the store's sake is tried again, and finds its own effect.
      const add = async (name: string): Promise<void> => {
        for (;;) {
          try {
            await modify(mine, 'one', (current) =>
              current?.names.includes(name)
                ? undefined
                : { value: { names: [...(current?.names ?? []), name] }, options: { events: [event(name)] } },
            );
            return;
          } catch (error) {
            if (!isEngramError(error) || !error.retryable) throw error;
            await sleep(50);
          }
        }
      };
      for (let i = 0; i < 20; i++) {
        await Promise.all([0, 1, 2].map((j) => add(`s-${i}-${j}`)));
        await sleep(100);
      }
      await restarting;
      const names = (await mine.get('one'))?.value.names ?? [];
      expect(names).toHaveLength(60);
      expect(new Set(names).size).toBe(60);
      expect((await mine.pendingEvents(100)).map((item) => item.event.subject)).toEqual(names);
    },
  );
});
