/** The generated contracts as text by file name; pure, so that a test can compare them with what is committed. */
import { z } from 'zod';
import { qualityMetrics } from './artifacts/quality-metrics.ts';
import { preprocessingLog, roiFeatures } from './artifacts/roi-features.ts';
import {
  deadLettersReport,
  demoReport,
  errorReport,
  processReport,
  redriveReport,
  registerReport,
  replayReport,
  reprocessReport,
} from './cli/reports.ts';
import { envelope } from './events/envelope.ts';
import { events } from './events/index.ts';
import { openapi } from './http/openapi.ts';

const jsonSchema = (schema: z.ZodType, title: string) => ({
  ...z.toJSONSchema(schema, { target: 'draft-2020-12', io: 'output' }),
  title,
});

const text = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

const documents = {
  'artifacts/roi-features.v1.json': jsonSchema(roiFeatures, 'roi_features.json'),
  'artifacts/quality-metrics.v1.json': jsonSchema(qualityMetrics, 'quality_metrics.json'),
  'artifacts/preprocessing-log.v1.json': jsonSchema(preprocessingLog, 'preprocessing_log.json'),
  'cli/process-report.json': jsonSchema(processReport, 'engram process --json'),
  'cli/register-report.json': jsonSchema(registerReport, 'engram register --json, report.json'),
  'cli/demo-report.json': jsonSchema(demoReport, 'npm run demo -- --json'),
  'cli/dead-letters-report.json': jsonSchema(deadLettersReport, 'engram dead-letters list --json'),
  'cli/redrive-report.json': jsonSchema(redriveReport, 'engram dead-letters redrive --json'),
  'cli/replay-report.json': jsonSchema(replayReport, 'engram replay --json'),
  'cli/reprocess-report.json': jsonSchema(reprocessReport, 'engram reprocess --json'),
  'cli/error-report.json': jsonSchema(errorReport, 'any command under --json that failed'),
};

/** AsyncAPI 3.0: one channel per event topic; who sends and who receives. */
function asyncapi(): unknown {
  const all = Object.values(events);
  const channels = Object.fromEntries(
    all.map((event) => [
      event.type,
      {
        address: event.topic,
        messages: { [event.type]: { $ref: `#/components/messages/${event.type}` } },
      },
    ]),
  );
  const operations = Object.fromEntries(
    all.flatMap((event) => [
      ...event.from.map((service) => [
        `${service}.sends.${event.type}`,
        operation('send', event.type, `${service} says ${event.says}`),
      ]),
      ...event.to.map((service) => [
        `${service}.receives.${event.type}`,
        operation('receive', event.type, `${service} learns ${event.says}`),
      ]),
    ]),
  );
  const messages = Object.fromEntries(
    all.map((event) => [
      event.type,
      {
        name: event.type,
        summary: event.says,
        contentType: 'application/json',
        headers: z.toJSONSchema(envelope, { target: 'draft-7' }),
        payload: z.toJSONSchema(event.data, { target: 'draft-7' }),
        examples: [{ name: 'example', payload: event.example }],
      },
    ]),
  );
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Engram events',
      version: '1.0.0',
      description:
        'CloudEvents 1.0 in Kafka binary mode; the key is the pseudonymous patient key. Delivery is at least once and ids are derived from what an event states.',
    },
    channels,
    operations,
    components: { messages },
  };
}

function operation(action: 'send' | 'receive', type: string, summary: string): unknown {
  return {
    action,
    channel: { $ref: `#/channels/${type}` },
    summary,
    messages: [{ $ref: `#/channels/${type}/messages/${type}` }],
  };
}

export function generatedContracts(): Record<string, string> {
  const eventSchemas = Object.fromEntries(
    Object.values(events).map((event) => [`events/${event.type}.json`, jsonSchema(event.data, event.type)]),
  );
  const files = { ...documents, ...eventSchemas, 'asyncapi.json': asyncapi(), 'openapi.json': openapi() };
  return Object.fromEntries(Object.entries(files).map(([name, value]) => [name, text(value)]));
}
