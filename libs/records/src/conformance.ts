/**
 * What every record store must do. An adapter is plugged in by a test file that calls `recordsConformance` with a way to
 * open it; `another` opens a second connection to the same data, as another process would.
 */
import { events, makeEvent } from '@engram/contracts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { modify } from './modify.ts';
import type { Collection, CollectionDefinition, Records } from './port.ts';

export interface RecordsUnderTest {
  readonly records: Records;
  another(): Promise<Records>;
  /** Moves the clock that expiry and leases are judged by. */
  advance(ms: number): void;
  close(): Promise<void>;
}

interface Thing {
  readonly kind: string;
  readonly size: number | null;
  readonly on?: boolean;
  readonly at?: { readonly place: string };
  readonly owner?: string;
}

const definition: CollectionDefinition<Thing> = {
  name: 'test.things',
  indexes: ['kind', 'size', 'at.place'],
  ordered: [
    {
      where: ['on'],
      orderBy: [
        ['size', 'desc'],
        ['kind', 'asc'],
      ],
    },
  ],
  unique: [['kind', 'owner']],
};

const thing = (kind: string, size: number | null, more: Partial<Thing> = {}): Thing => ({ kind, size, ...more });

const event = (subjectVersion: number) =>
  makeEvent(events.runRequested, {
    source: '/engram/ingestion',
    subject: 's-1',
    subjectVersion,
    patientKey: 'abcdefghijklmnopqrstuvwxyz',
    time: new Date(0),
    data: events.runRequested.example,
  });

const ids = async (collection: Collection<Thing>, options: Parameters<Collection<Thing>['find']>[0]) =>
  (await collection.find(options)).records.map((record) => record.id);

export function recordsConformance(name: string, open: () => Promise<RecordsUnderTest>): void {
  describe(`records: ${name}`, () => {
    let under: RecordsUnderTest;
    let things: Collection<Thing>;
    beforeEach(async () => {
      under = await open();
      things = under.records.collection(definition);
    });
    afterEach(() => under.close());

    test('what is inserted is read back with revision 1, and not a second time under the same id', async () => {
      const stored = await things.insert('a', thing('cup', 3, { at: { place: 'shelf' } }));
      expect(stored).toMatchObject({
        id: 'a',
        revision: 1,
        lease: null,
        value: { kind: 'cup', at: { place: 'shelf' } },
      });
      expect(await things.get('a')).toEqual(stored);
      await expect(things.insert('a', thing('jug', 1))).rejects.toMatchObject({ code: 'RECORD_EXISTS' });
      expect((await things.get('a'))?.value.kind).toBe('cup');
      expect(await things.get('b')).toBeUndefined();
    });

    test('a write with an old revision is refused and changes nothing', async () => {
      await things.insert('a', thing('cup', 1));
      const second = await things.replace('a', 1, thing('cup', 2));
      expect(second.revision).toBe(2);
      await expect(things.replace('a', 1, thing('cup', 3))).rejects.toMatchObject({ code: 'RECORD_CONFLICT' });
      await expect(things.replace('none', 1, thing('cup', 3))).rejects.toMatchObject({ code: 'RECORD_CONFLICT' });
      expect((await things.get('a'))?.value.size).toBe(2);
    });

    test('removing is idempotent, and refused for an old revision', async () => {
      await things.insert('a', thing('cup', 1));
      await things.replace('a', 1, thing('cup', 2));
      await expect(things.remove('a', 1)).rejects.toMatchObject({ code: 'RECORD_CONFLICT' });
      await things.remove('a');
      await things.remove('a');
      expect(await things.get('a')).toBeUndefined();
    });

    test('a unique tuple is taken once; absent values do not collide', async () => {
      await things.insert('a', thing('cup', 1, { owner: 'x' }));
      await expect(things.insert('b', thing('cup', 2, { owner: 'x' }))).rejects.toMatchObject({
        code: 'RECORD_EXISTS',
      });
      await things.insert('b', thing('cup', 2, { owner: 'y' }));
      await things.insert('c', thing('cup', 3));
      await things.insert('d', thing('cup', 4));
      await expect(things.replace('b', 1, thing('cup', 2, { owner: 'x' }))).rejects.toMatchObject({
        code: 'RECORD_EXISTS',
      });
      await things.remove('a');
      await things.replace('b', 1, thing('cup', 2, { owner: 'x' }));
    });

    test('searches combine equality, ranges, lists, booleans, null and dotted paths', async () => {
      await things.insert('a', thing('cup', 1, { on: true, at: { place: 'shelf' } }));
      await things.insert('b', thing('cup', 2, { on: false, at: { place: 'table' } }));
      await things.insert('c', thing('jug', 3));
      await things.insert('d', thing('jug', null));
      expect(await ids(things, { where: { kind: 'cup' } })).toEqual(['a', 'b']);
      expect(await ids(things, { where: { size: { gte: 2, lt: 3 } } })).toEqual(['b']);
      expect(await ids(things, { where: { size: { gt: 1, lte: 3 } } })).toEqual(['b', 'c']);
      expect(await ids(things, { where: { size: null } })).toEqual(['d']);
      expect(await ids(things, { where: { size: { in: [1, 3] } } })).toEqual(['a', 'c']);
      expect(await ids(things, { where: { size: { in: [1, null] } } })).toEqual(['a', 'd']);
      expect(await ids(things, { where: { on: true } })).toEqual(['a']);
      expect(await ids(things, { where: { 'at.place': 'table', kind: 'cup' } })).toEqual(['b']);
      expect(await things.count({ kind: 'jug' })).toBe(2);
      expect(await things.count()).toBe(4);
    });

    test('a search over a path without an index is refused by its name', async () => {
      await expect(things.find({ where: { colour: 'red' } })).rejects.toMatchObject({
        code: 'RECORD_PATH_UNKNOWN',
        field: 'colour',
      });
      await expect(things.find({ orderBy: [["kind') --", 'asc']] })).rejects.toMatchObject({
        code: 'RECORD_PATH_UNKNOWN',
      });
    });

    test('pages follow one another without gap or repeat, in any order, absent values included', async () => {
      const sizes = [5, null, 3, 3, 1, null, 4, 2, 3];
      for (const [i, size] of sizes.entries()) await things.insert(`r${i}`, thing(i % 2 ? 'cup' : 'jug', size));
      for (const orderBy of [
        [['size', 'asc']],
        [['size', 'desc']],
        [
          ['kind', 'desc'],
          ['size', 'asc'],
        ],
      ] as const) {
        const whole = await ids(things, { orderBy });
        expect(new Set(whole).size).toBe(9);
        const paged: string[] = [];
        let cursor: string | null | undefined;
        do {
          const page = await things.find({ orderBy, limit: 2, ...(cursor ? { cursor } : {}) });
          expect(page.records.length).toBeLessThanOrEqual(2);
          paged.push(...page.records.map((record) => record.id));
          cursor = page.next;
        } while (cursor);
        expect(paged).toEqual(whole);
      }
      const rising = ['r1', 'r5', 'r4', 'r7', 'r2', 'r3', 'r8', 'r6', 'r0'];
      expect(await ids(things, { orderBy: [['size', 'asc']] })).toEqual(rising);
      expect(await ids(things, { orderBy: [['size', 'desc']] })).toEqual(rising.reverse());
    });

    test('what an ordered search names may be searched, and is found and claimed in its order', async () => {
      for (const [i, size] of [1, 3, 2, 3, null].entries())
        await things.insert(`r${i}`, thing('cup', size, { on: true }));
      await things.insert('off', thing('cup', 9, { on: false }));
      const order = {
        orderBy: [
          ['size', 'desc'],
          ['kind', 'asc'],
        ],
      } as const;
      const where = { on: true, size: { gte: 2 } };
      expect(await ids(things, { where, ...order })).toEqual(['r1', 'r3', 'r2']);
      const claim = { ...order, where, owner: 'one', leaseMs: 1_000 };
      expect((await things.claim(claim))?.id).toBe('r1');
      expect((await things.claim(claim))?.id).toBe('r3');
    });

    test('a cursor that no search returned is refused', async () => {
      for (const cursor of ['nonsense', Buffer.from('[1,2,3]').toString('base64url')]) {
        await expect(things.find({ cursor })).rejects.toMatchObject({ code: 'REQUEST_INVALID', field: 'cursor' });
      }
    });

    test('a record disappears after its expiry and its id and unique values are free again', async () => {
      await things.insert('a', thing('cup', 1, { owner: 'x' }), { expiresAt: Date.now() + 1_000 });
      await things.insert('b', thing('jug', 1));
      expect(await things.get('a')).toBeDefined();
      under.advance(1_001);
      expect(await things.get('a')).toBeUndefined();
      expect(await ids(things, {})).toEqual(['b']);
      expect(await things.count()).toBe(1);
      await things.insert('c', thing('cup', 2, { owner: 'x' }));
      expect((await things.insert('a', thing('pot', 2))).revision).toBe(1);
    });

    test('a replace keeps the expiry unless it says otherwise', async () => {
      const expiresAt = Date.now() + 1_000;
      for (const id of ['kept', 'lifted']) await things.insert(id, thing('cup', 1), { expiresAt });
      await things.replace('kept', 1, thing('cup', 2));
      await things.replace('lifted', 1, thing('cup', 2), { expiresAt: null });
      under.advance(1_001);
      expect(await ids(things, {})).toEqual(['lifted']);
    });

    describe('leases', () => {
      const claim = { leaseMs: 1_000, orderBy: [['size', 'desc']] as const };

      test('a claim takes the first free record in order, and no record twice', async () => {
        for (const [id, size] of [['a', 1] as const, ['b', 3] as const, ['c', 2] as const]) {
          await things.insert(id, thing('cup', size));
        }
        const other = (await under.another()).collection(definition);
        const taken = [
          await things.claim({ ...claim, owner: 'one' }),
          await other.claim({ ...claim, owner: 'two' }),
          await things.claim({ ...claim, owner: 'one' }),
          await other.claim({ ...claim, owner: 'two' }),
        ];
        expect(taken.map((record) => record?.id)).toEqual(['b', 'c', 'a', undefined]);
        expect(taken[1]?.lease?.owner).toBe('two');
      });

      test('many claimants at once share the records without overlap', async () => {
        for (let i = 0; i < 40; i++) await things.insert(`r${i}`, thing('cup', i));
        const other = (await under.another()).collection(definition);
        const claims = Array.from({ length: 60 }, (_, i) =>
          (i % 2 ? things : other).claim({ ...claim, owner: `worker-${i}` }),
        );
        const taken = (await Promise.all(claims)).flatMap((record) => (record ? [record.id] : []));
        expect(taken).toHaveLength(40);
        expect(new Set(taken).size).toBe(40);
      });

      test('a lease that ran out may be claimed by another, and its first owner has lost it', async () => {
        await things.insert('a', thing('cup', 1));
        const first = await things.claim({ ...claim, owner: 'one' });
        under.advance(900);
        await things.renew('a', 'one', 1_000);
        under.advance(900);
        expect(await things.claim({ ...claim, owner: 'two' })).toBeUndefined();
        under.advance(101);
        expect((await things.claim({ ...claim, owner: 'two' }))?.id).toBe('a');
        await expect(things.renew('a', 'one', 1_000)).rejects.toMatchObject({ code: 'LEASE_LOST' });
        // The fence: what the first owner read before cannot be written over what the second one holds.
        await expect(things.replace('a', first?.revision ?? 0, thing('cup', 9))).rejects.toMatchObject({
          code: 'RECORD_CONFLICT',
        });
      });

      test('a release frees the record for the next; that of another owner does nothing', async () => {
        await things.insert('a', thing('cup', 1));
        await things.claim({ ...claim, owner: 'one' });
        await things.release('a', 'two');
        expect(await things.claim({ ...claim, owner: 'two' })).toBeUndefined();
        await things.release('a', 'one');
        await things.release('a', 'one');
        expect((await things.claim({ ...claim, owner: 'two' }))?.id).toBe('a');
      });

      test('a claim sees only what its search matches', async () => {
        await things.insert('a', thing('cup', 1));
        expect(await things.claim({ ...claim, owner: 'one', where: { kind: 'jug' } })).toBeUndefined();
        expect((await things.claim({ ...claim, owner: 'one', where: { kind: 'cup' } }))?.id).toBe('a');
      });
    });

    describe('outbox', () => {
      test('events wait in the order of their writes until they are marked', async () => {
        const [one, two, three] = [event(1), event(2), event(3)];
        await things.insert('a', thing('cup', 1), { events: [one] });
        await things.insert('b', thing('cup', 2), { events: [two] });
        await things.replace('a', 1, thing('cup', 3), { events: [three] });
        const pending = await things.pendingEvents(10);
        // Every field of it, empty objects among them: an event that lost one fits no contract.
        expect(pending[0]?.event).toEqual(one);
        expect(pending.map((item) => [item.id, item.event.id])).toEqual([
          ['a', one.id],
          ['b', two.id],
          ['a', three.id],
        ]);
        expect(await things.pendingEvents(1)).toHaveLength(1);
        await things.markPublished([{ id: 'a', eventId: one.id }]);
        await things.markPublished([{ id: 'a', eventId: one.id }]);
        expect((await things.pendingEvents(10)).map((item) => item.event.id)).toEqual([two.id, three.id]);
      });

      test('a refused write leaves no event', async () => {
        await things.insert('a', thing('cup', 1));
        await expect(things.insert('a', thing('cup', 1), { events: [event(1)] })).rejects.toThrow();
        await expect(things.replace('a', 7, thing('cup', 1), { events: [event(1)] })).rejects.toThrow();
        expect(await things.pendingEvents(10)).toEqual([]);
      });

      test('neither removal, expiry nor a new record of the same id loses an event', async () => {
        const [one, two, three] = [event(1), event(2), event(3)];
        await things.insert('a', thing('cup', 1), { events: [one] });
        await things.remove('a');
        await things.insert('a', thing('cup', 2), { events: [two], expiresAt: Date.now() + 10 });
        under.advance(11);
        await things.insert('b', thing('cup', 3), { events: [three] });
        expect((await things.pendingEvents(10)).map((item) => item.event.id)).toEqual([one.id, two.id, three.id]);
        const marks = (await things.pendingEvents(10)).map((item) => ({ id: item.id, eventId: item.event.id }));
        await things.markPublished(marks);
        expect(await things.pendingEvents(10)).toEqual([]);
        expect(await things.get('a')).toBeUndefined();
      });

      test('a listener hears of a write with events what its record holds, and of no other write', async () => {
        const [one, two, three] = [event(1), event(2), event(3)];
        const heard: [string, string, ...string[]][] = [];
        const stop = under.records.onEvents(({ collection, id, events }) =>
          heard.push([collection, id, ...events.map((each) => each.id)]),
        );
        await things.insert('a', thing('cup', 1));
        expect(heard).toEqual([]);
        await things.insert('b', thing('cup', 1), { events: [one] });
        await (await under.another()).collection(definition).replace('b', 1, thing('cup', 2), { events: [two] });
        await things.replace('b', 2, thing('cup', 3), { events: [three] });
        expect(heard).toEqual([
          ['test.things', 'b', one.id],
          ['test.things', 'b', one.id, two.id, three.id],
        ]);
        stop();
        await things.insert('c', thing('cup', 1), { events: [event(4)] });
        expect(heard).toHaveLength(2);
      });

      test('what waits in a record that is being written to can be left to its writer', async () => {
        await things.insert('a', thing('cup', 1), { events: [event(1)] });
        await things.insert('b', thing('cup', 1), { events: [event(2)] });
        under.advance(3_000);
        await things.replace('b', 1, thing('cup', 2));
        under.advance(3_000);
        expect((await things.pendingEvents(10, 5_000)).map((item) => item.id)).toEqual(['a']);
        expect(await things.pendingEvents(10)).toHaveLength(2);
      });
    });

    describe('modify', () => {
      test('concurrent changes of one record are all kept', async () => {
        await things.insert('a', thing('cup', 0));
        const other = (await under.another()).collection(definition);
        const add = (collection: Collection<Thing>) =>
          modify(collection, 'a', (value) => value && { value: { ...value, size: (value.size ?? 0) + 1 } });
        await Promise.all(Array.from({ length: 20 }, (_, i) => add(i % 2 ? things : other)));
        expect((await things.get('a'))?.value.size).toBe(20);
      });

      test('it inserts what is not there and leaves alone what the decision leaves alone', async () => {
        const made = await modify(things, 'new', () => ({ value: thing('cup', 1) }));
        expect(made?.revision).toBe(1);
        expect(await modify(things, 'new', () => undefined)).toEqual(made);
        expect(await modify(things, 'none', () => undefined)).toBeUndefined();
      });
    });

    test('another connection sees what was written, and the collections opened are listed', async () => {
      await things.insert('a', thing('cup', 1));
      const other = await under.another();
      expect((await other.collection(definition).get('a'))?.value.kind).toBe('cup');
      expect(other.collections.map((collection) => collection.name)).toEqual(['test.things']);
    });
  });
}
