/** The bus on a Kafka cluster: the port's promises over topics, consumer groups and committed offsets. */
import { setTimeout as sleep } from 'node:timers/promises';
import { EngramError } from '@engram/errors';
import { gauge, type Logger, silentLogger, traceparent } from '@engram/telemetry';
import { send } from '../deliver.ts';
import { partitionOf } from '../partition.ts';
import type { Bus } from '../port.ts';
import { checkPublished, eventTypes } from '../validate.ts';
import type { KafkaClient, LogReader } from './client.ts';
import { readDeadLetters } from './dead-letters.ts';
import { type Fetch, lagOf } from './lag.ts';
import { outage, patiently, upstreamFailed } from './patience.ts';
import { deadLetterOf, publishedRecord, redrivenRecord, replayRecord, settledRecord } from './records.ts';
import { openSender } from './sender.ts';
import { type KafkaSubscription, openSubscription } from './subscription.ts';
import { openTopics } from './topics.ts';
import { clientOptions, type KafkaUrl, parseKafkaUrl } from './url.ts';

export interface KafkaBusOptions {
  /** Of the topics that are still to be made. The URL's wins. Default 8. */
  readonly partitions?: number | undefined;
  readonly logger?: Logger | undefined;
  readonly now?: () => number;
}

/** How long publishing waits for a broker that is away; the outbox tries again after that. */
const PUBLISH_PATIENCE_MS = 10_000;
/** How long subscribing waits for its share of the partitions; it goes on trying after that. */
const SUBSCRIBE_WAIT_MS = 10_000;
const LAG_MS = 10_000;

/**
 * Does not wait for a broker: what needs one does.
 * @throws CONFIG_INVALID when the URL is wrong.
 */
export async function openKafkaBus(url: string, options: KafkaBusOptions = {}): Promise<Bus> {
  const settings = parseKafkaUrl(url);
  const { now = Date.now, logger = silentLogger } = options;
  const client = await openClient(settings);
  const topics = openTopics(client, { ...settings, partitions: settings.partitions ?? options.partitions });
  const sender = openSender(client, outage(logger, 'events could not be sent'));
  const subscriptions = new Set<KafkaSubscription>();
  const groups = new Set<string>();
  const reading = oneAtATime(client);
  let closed = false;

  function open(): void {
    if (closed) throw new EngramError('BUS_CLOSED', 'the bus is closed');
  }

  const lag = (group: string) => lagOf(client, reading.fetch, topics.group(group).group, now);
  const measure = setInterval(() => {
    for (const group of groups) {
      lag(group).then(
        ({ events, seconds }) => {
          gauge('engram.bus.lag', events, { 'messaging.consumer.group.name': group });
          gauge('engram.bus.lag.age', seconds, { 'messaging.consumer.group.name': group });
        },
        (error: unknown) => logger.debug('the lag could not be measured', { group, err: error }),
      );
    }
  }, LAG_MS);
  measure.unref();

  return {
    async publish(events) {
      open();
      for (const event of events) checkPublished(event);
      if (events.length === 0) return;
      const stopped = () => closed;
      await send(
        'kafka',
        events,
        (stamped) =>
          upstream(async () => {
            const names = [...new Set(stamped.map(({ type }) => topics.of(type)))];
            const patience = { patienceMs: PUBLISH_PATIENCE_MS, stopped };
            const count = await patiently(() => topics.ensure(names), patience);
            const records = stamped.map((event) => {
              const at = { topic: topics.of(event.type), partition: partitionOf(event.partitionkey, count) };
              return publishedRecord(event, at, now());
            });
            await sender.send(records, PUBLISH_PATIENCE_MS);
          }),
        traceparent,
      );
    },

    async subscribe(subscription) {
      open();
      for (const type of subscription.types) {
        if (!eventTypes.has(type)) {
          throw new EngramError('EVENT_INVALID', `${type} is not an event type`, { field: 'types' });
        }
      }
      const { session_ms: sessionTimeoutMs } = settings;
      const opened = openSubscription(subscription, { client, topics, sender, sessionTimeoutMs, now, logger });
      subscriptions.add(opened);
      groups.add(subscription.group);
      const close = async () => {
        await opened.close();
        subscriptions.delete(opened);
      };
      try {
        await Promise.race([opened.started, sleep(SUBSCRIBE_WAIT_MS, undefined, { ref: false })]);
      } catch (error) {
        await close();
        throw error;
      }
      return { close };
    },

    lag: (group) => upstream(() => lag(group)),

    async deadLetters(group) {
      const letters = await upstream(() => readDeadLetters(client, reading.fetch, topics.group(group).deadLetters));
      return letters.map((letter) => deadLetterOf(letter, group));
    },

    redrive: (group, eventIds) =>
      upstream(async () => {
        const { again, deadLetters } = topics.group(group);
        const wanted = eventIds && new Set(eventIds);
        const letters = await readDeadLetters(client, reading.fetch, deadLetters);
        const chosen = letters.filter((letter) => !wanted || wanted.has(deadLetterOf(letter, group).event.id));
        if (chosen.length === 0) return 0;
        const count = await topics.ensure([again]);
        const redriven = chosen.map((letter) => {
          const key = deadLetterOf(letter, group).event.partitionkey;
          return redrivenRecord(letter, { topic: again, partition: partitionOf(key, count) }, now());
        });
        // In this order: a crash in between hands them back twice, never not at all.
        await sender.send(redriven, PUBLISH_PATIENCE_MS);
        await sender.send(
          chosen.map((letter) => settledRecord(letter, now())),
          PUBLISH_PATIENCE_MS,
        );
        return chosen.length;
      }),

    replay: (group, since) =>
      upstream(async () => {
        const { again } = topics.group(group);
        const count = await topics.ensure([again]);
        const asked = Array.from({ length: count }, (_, partition) =>
          replayRecord({ topic: again, partition }, since, now()),
        );
        await sender.send(asked, PUBLISH_PATIENCE_MS);
      }),

    async close() {
      if (closed) return;
      closed = true;
      clearInterval(measure);
      await Promise.all([...subscriptions].map((subscription) => subscription.close()));
      await sender.close();
      await reading.close();
      await client.close();
    },
  };
}

async function openClient(url: KafkaUrl): Promise<KafkaClient> {
  const options = clientOptions(url);
  // Only the library that is used is loaded.
  if (url.client === 'kafkajs') return (await import('./kafkajs/client.ts')).openKafkajs(options);
  return (await import('./platformatic/client.ts')).openPlatformatic(options);
}

/** A reader for single looks into the log, shared by those who look. */
function oneAtATime(client: KafkaClient): { readonly fetch: Fetch; close(): Promise<void> } {
  let reader: LogReader | undefined;
  let last: Promise<unknown> = Promise.resolve();
  return {
    fetch(positions, waitMs) {
      const turn = last.then(async () => {
        reader ??= await client.openReader();
        return reader.fetch(positions, waitMs);
      });
      last = turn.catch(() => undefined);
      return turn;
    },
    async close() {
      await last;
      await reader?.close();
    },
  };
}

async function upstream<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw upstreamFailed('the Kafka cluster did not answer', error);
  }
}
