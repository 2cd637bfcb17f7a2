/** What lies on Kafka after one study: exactly what was to be said, in the topics where it belongs. */
import assert from 'node:assert/strict';
import { topicOf } from '@engram/bus';
import { type EngramEvent, events } from '@engram/contracts';
import { kafkaContent, type TopicContent } from '../events.ts';
import type { Report } from '../report.ts';
import { timelessKey } from '../timeless-key.ts';

/** Their ids hold no time: a platform with other adapters says the very same. */
const SAME_IDS = [events.scoreReceived.type, events.studyReceived.type, events.runRequested.type] as const;
const TIMED_EVENTS = [
  events.runProgressed.type,
  events.runCompleted.type,
  events.featuresStored.type,
  events.forecastMade.type,
] as const;

export interface EventFacts {
  readonly kafka: string;
  readonly embedded: readonly EngramEvent[];
  readonly runId: string;
  readonly patientKey: string;
}

export async function checkEvents(report: Report, { kafka, embedded, runId, patientKey }: EventFacts): Promise<void> {
  const area = 'Kafka';
  let topics: readonly TopicContent[] = [];
  await report.check(area, 'every message of every topic is a CloudEvent of ours', async () => {
    topics = await kafkaContent(kafka);
    assert.equal(
      topics.reduce((sum, topic) => sum + topic.strangers, 0),
      0,
    );
    return `${topics.reduce((sum, topic) => sum + topic.events.length, 0)} events in ${topics.length} topics`;
  });
  const here = (type: string): readonly EngramEvent[] =>
    once(topics.find(({ topic }) => topic === topicOf(type))?.events ?? []);
  const there = (type: string): readonly EngramEvent[] => once(embedded.filter((event) => event.type === type));

  for (const type of SAME_IDS) {
    await report.check(area, `${type}: the events of the embedded run, id by id, and no other`, () => {
      assert.deepEqual(facts(here(type)), facts(there(type)));
      assert.ok(here(type).length > 0);
      return `${here(type).length}`;
    });
  }
  await report.check(area, `${events.runCompleted.type}: one, of this run, with the same artifacts`, () => {
    assert.deepEqual(here(events.runCompleted.type).map(outcomeOf), there(events.runCompleted.type).map(outcomeOf));
    assert.deepEqual(
      here(events.runCompleted.type).map(({ subject }) => subject),
      [runId],
    );
    return undefined;
  });
  await report.check(area, `${events.featuresStored.type}: one, the same but for where its timed document lies`, () => {
    assert.deepEqual(here(events.featuresStored.type).map(storedOf), there(events.featuresStored.type).map(storedOf));
    assert.equal(here(events.featuresStored.type).length, 1);
    return undefined;
  });
  await report.check(area, `${events.runProgressed.type}: of this run, versions rising, every task completed`, () =>
    checkProgress(here(events.runProgressed.type), there(events.runProgressed.type), runId),
  );
  await report.check(area, `${events.forecastMade.type}: one from the scan, the same as embedded`, () => {
    assert.deepEqual(fromScan(here(events.forecastMade.type)), fromScan(there(events.forecastMade.type)));
    assert.equal(fromScan(here(events.forecastMade.type)).length, 1);
    return `${here(events.forecastMade.type).length - 1} before it from scores alone`;
  });
  await report.check(
    area,
    'nothing failed, lies in dead letters or needs a review; what was tried again is a repeat',
    () => {
      const expected = new Set([...SAME_IDS, ...TIMED_EVENTS].map(topicOf));
      const said = new Set(
        topics.filter(({ topic }) => expected.has(topic)).flatMap(({ events: held }) => idsOf(held)),
      );
      const others = topics.filter(({ topic, events: held }) => held.length > 0 && !expected.has(topic));
      const retried = others.filter(({ topic }) => topic.includes('.retry.'));
      assert.deepEqual(
        others.filter((topic) => !retried.includes(topic)).map(({ topic, events: held }) => `${topic}: ${held.length}`),
        [],
      );
      assert.deepEqual(
        retried.flatMap(({ events: held }) => idsOf(held)).filter((id) => !said.has(id)),
        [],
      );
      return retried.map(({ topic, events: held }) => `${topic}: ${held.map(({ type }) => type).join(' ')}`).join(', ');
    },
  );
  await report.check(area, 'every event is keyed by the patient key and carries a trace', () => {
    for (const event of topics.flatMap((topic) => topic.events)) {
      assert.equal(event.partitionkey, patientKey);
      assert.match(event.traceparent ?? '', /^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/);
    }
    return undefined;
  });
}

/** Delivery is at least once: the same id said again is no other event. */
function once(all: readonly EngramEvent[]): readonly EngramEvent[] {
  return [...new Map(all.map((event) => [event.id, event])).values()];
}

const idsOf = (all: readonly EngramEvent[]): string[] => all.map(({ id }) => id);

const facts = (all: readonly EngramEvent[]) =>
  all
    .map(({ id, subject, subjectversion, data }) => ({ id, subject, subjectversion, data }))
    .sort((a, b) => (a.id < b.id ? -1 : 1));

interface Completed {
  readonly artifacts: readonly { readonly name: string; readonly key: string; readonly sha256: string }[];
  readonly durations: unknown;
}

/** Without what is measured by a clock. */
function outcomeOf({ data }: EngramEvent): unknown {
  const { durations, artifacts, ...rest } = data as Completed;
  const timeless = artifacts.filter(({ name }) => !TIMED_FILES.has(name));
  return { ...rest, artifacts: timeless.map(({ name, key, sha256 }) => ({ name, key, sha256 })) };
}

/** They hold the time of their making. */
const TIMED_FILES = new Set(['preprocessing_log.json', 'roi_features.json']);

function storedOf({ subject, subjectversion, data }: EngramEvent): unknown {
  const { features_key, ...rest } = data as { readonly features_key: string };
  return { subject, subjectversion, ...rest, features_key: timelessKey(features_key) };
}

interface Progress {
  readonly run_id: string;
  readonly task: string | null;
  readonly task_status: string | null;
}

function checkProgress(here: readonly EngramEvent[], there: readonly EngramEvent[], runId: string): string {
  assert.deepEqual([...new Set(here.map(({ data }) => (data as Progress).run_id))], [runId]);
  const versions = here.map(({ subjectversion }) => subjectversion);
  assert.deepEqual(
    versions,
    [...versions].sort((a, b) => a - b),
  );
  assert.deepEqual(completedTasks(here), completedTasks(there));
  return `${here.length} events`;
}

const completedTasks = (all: readonly EngramEvent[]): string[] =>
  all
    .map(({ data }) => data as Progress)
    .filter(({ task_status }) => task_status === 'completed')
    .map(({ task }) => task ?? '')
    .sort();

const fromScan = (all: readonly EngramEvent[]) =>
  facts(all.filter(({ data }) => (data as { feature_sets: readonly unknown[] }).feature_sets.length > 0));
