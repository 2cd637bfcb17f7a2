import { describe, expect, test } from 'vitest';
import { canonicalJson, makeEvent } from './envelope.ts';
import { events } from './index.ts';

const facts = {
  source: '/engram/ingestion',
  subject: 's-1',
  subjectVersion: 1,
  patientKey: 'abcdefghijklmnopqrstuvwxyz',
  data: events.runRequested.example,
};

describe('makeEvent', () => {
  test('the same fact said at another time has the same id', () => {
    const a = makeEvent(events.runRequested, { ...facts, time: new Date(0) });
    const b = makeEvent(events.runRequested, { ...facts, time: new Date(1e12) });
    expect(b.id).toBe(a.id);
    expect(b.time).not.toBe(a.time);
  });

  test('another version or another datum is another event', () => {
    const time = new Date(0);
    const ids = [
      makeEvent(events.runRequested, { ...facts, time }),
      makeEvent(events.runRequested, { ...facts, time, subjectVersion: 2 }),
      makeEvent(events.runRequested, { ...facts, time, data: { ...facts.data, priority: 'urgent' } }),
    ].map((e) => e.id);
    expect(new Set(ids).size).toBe(3);
  });

  test('data that does not fit its schema is the producer’s error', () => {
    expect(() =>
      makeEvent(events.runRequested, { ...facts, time: new Date(0), data: { ...facts.data, patient_key: 'MRN 12' } }),
    ).toThrow(/patient_key/);
  });
});

test('canonical JSON does not depend on the order of keys, at any depth', () => {
  expect(canonicalJson({ b: [{ d: 1, c: 2 }], a: null })).toBe(canonicalJson({ a: null, b: [{ c: 2, d: 1 }] }));
});

test('every topic is its type under one prefix, and every event has a sender and a receiver', () => {
  for (const event of Object.values(events)) {
    expect(event.topic).toBe(`engram.${event.type}`);
    expect(event.type).toMatch(/^[a-z]+\.[a-z]+\.v\d+$/);
    expect(event.from.length * event.to.length).toBeGreaterThan(0);
    expect(event.data.parse(event.example)).toEqual(event.example);
  }
});
