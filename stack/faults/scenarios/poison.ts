/** Events that no retry can help: each ends in the dead letters with its cause and holds up nobody; mended, it is redriven. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Bus, type DeadLetter, openBus, toKafkaHeaders, topicOf } from '@engram/bus';
import { type EngramEvent, events, makeEvent } from '@engram/contracts';
import { openObjects } from '@engram/objects';
import { featureDocument } from '@engram/simulation/recorded';
import { Kafka, logLevel, type Message } from 'kafkajs';
import { settingOf } from '../../e2e/distributed-run.ts';
import { urlOf } from '../../e2e/settings.ts';
import { keyOf } from '../../load/effects.ts';
import { type Scan, scansOf } from '../../load/hospital.ts';
import { type Context, trial } from '../context.ts';

/** Topics that get poison in each of their partitions, and the groups that must give it up. */
const POISONED: readonly (readonly [string, readonly string[]])[] = [
  [events.runRequested.type, ['engram.preprocessing']],
  [events.runCompleted.type, ['engram.feature-store', 'engram.results']],
  [events.featuresStored.type, ['engram.prediction', 'engram.results']],
];
const GROUPS = [...new Set(POISONED.flatMap(([, groups]) => groups))];
const WAIT_MS = 60_000;

export async function poisonEvents(context: Context): Promise<void> {
  const { report, kafka } = context;
  const name = 'poison events';
  const bus = await openBus(kafka);
  try {
    let poison = new Map<string, number>();
    await trial(context, {
      name,
      before: async () => {
        poison = await poisonTopics(kafka);
      },
    });
    await report.check(name, 'each is a dead letter of each of its groups, with its cause, after one try', async () => {
      for (const group of GROUPS) checkLetters(await bus.deadLetters(group), group, poison);
      return [...poison].map(([type, count]) => `${count} ${type}`).join(', ');
    });
    await report.check(
      name,
      'what lacks an object is a dead letter too, and has its effect when redriven with it',
      () => mended(context, bus),
    );
  } finally {
    await bus.close();
  }
}

/** What is no event, and what is one that does not fit its schema, into every partition. @returns how many by type. */
async function poisonTopics(url: string): Promise<Map<string, number>> {
  const client = new Kafka({ clientId: 'engram-poison', brokers: [new URL(url).host], logLevel: logLevel.NOTHING });
  const [admin, producer] = [client.admin(), client.producer()];
  await Promise.all([admin.connect(), producer.connect()]);
  const counts = new Map<string, number>();
  for (const [type] of POISONED) {
    const topic = topicOf(type);
    const partitions = (await admin.fetchTopicOffsets(topic)).map(({ partition }) => partition);
    const messages = partitions.flatMap((partition): Message[] => [
      { partition, key: 'nobody', value: '{"half": ' },
      { ...misfit(type, partition), partition },
    ]);
    await producer.send({ topic, messages, acks: -1 });
    counts.set(type, messages.length);
  }
  await Promise.all([admin.disconnect(), producer.disconnect()]);
  return counts;
}

/** A whole envelope around data of no schema. */
function misfit(type: string, number: number): Message {
  const event: EngramEvent = {
    specversion: '1.0',
    id: (number + 1).toString(16).padStart(32, '0'),
    source: '/engram/faults',
    type,
    subject: 'misfit',
    subjectversion: 1,
    time: new Date().toISOString(),
    datacontenttype: 'application/json',
    partitionkey: 'nobody',
    data: { unexpected: true },
  };
  const { key, value, headers } = toKafkaHeaders(event);
  return { key, value, headers: { ...headers } };
}

function checkLetters(letters: readonly DeadLetter[], group: string, poison: ReadonlyMap<string, number>): void {
  const expected = POISONED.filter(([, groups]) => groups.includes(group)).reduce(
    (sum, [type]) => sum + (poison.get(type) ?? 0),
    0,
  );
  const invalid = letters.filter(({ cause }) => cause.code === 'EVENT_INVALID');
  assert.equal(invalid.length, expected, `${group}: letters of events that are none`);
  for (const { attempts, cause, firstFailure } of invalid) {
    assert.equal(attempts, 1);
    assert.ok(cause.message.length > 0 && !Number.isNaN(Date.parse(firstFailure)));
  }
}

async function mended(context: Context, bus: Bus): Promise<string> {
  const { fhir, ports } = context;
  const [scan] = scansOf('mended', 1) as [Scan];
  const patientKey = keyOf(fhir, scan);
  const key = `runs/r-${scan.studyId}/roi_features.json`;
  const document = Buffer.from(
    JSON.stringify(
      featureDocument({
        patientId: scan.patientId,
        sessionDate: '2025-11-03',
        inputs: [],
        madeAt: new Date().toISOString(),
      }),
    ),
  );
  const event = completedEvent(scan, patientKey, key, document);
  await bus.publish([event]);
  const group = 'engram.feature-store';
  const letter = await until(async () => (await bus.deadLetters(group)).find((one) => one.event.id === event.id));
  assert.equal(letter.cause.code, 'OBJECT_NOT_FOUND');
  assert.deepEqual(letter.event.data, event.data);
  const objects = await openObjects(settingOf(context.servers, 'S3_URL'));
  await objects.put(key, document, { contentType: 'application/json' }).finally(() => objects.close());
  assert.equal(await bus.redrive(group, [event.id]), 1);
  await until(async () => {
    const response = await fetch(`${urlOf(ports, 'feature-store')}/api/v1/feature-sets?patient_key=${patientKey}`);
    const { feature_sets } = (await response.json()) as { feature_sets: readonly unknown[] };
    return feature_sets.length === 1 || undefined;
  });
  assert.ok(!(await bus.deadLetters(group)).some((one) => one.event.id === event.id), 'it is a dead letter still');
  return letter.cause.code;
}

const completedEvent = ({ patientId, studyId }: Scan, patientKey: string, key: string, document: Buffer): EngramEvent =>
  makeEvent(events.runCompleted, {
    source: '/engram/faults',
    subject: `r-${studyId}`,
    subjectVersion: 1,
    patientKey,
    time: new Date(),
    data: {
      ...events.runCompleted.example,
      run_id: `r-${studyId}`,
      patient_key: patientKey,
      patient_id: patientId,
      patient_reference: `Patient/${patientId}`,
      session_id: `s-${studyId}`,
      session_date: '2025-11-03',
      artifacts: [
        {
          name: 'roi_features.json',
          key,
          sha256: createHash('sha256').update(document).digest('hex'),
          bytes: document.length,
        },
      ],
    },
  });

async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  const end = Date.now() + WAIT_MS;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > end) throw new Error('it did not come to that in time');
    await sleep(250);
  }
}
