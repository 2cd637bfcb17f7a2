/** Apache Kafka: one node, broker and controller (KRaft). */
import { randomBytes } from 'node:crypto';
import { access, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runTool } from '@engram/cache';
import { java } from '../install/java.ts';
import { fetchJars } from '../install/maven.ts';
import { ask, KAFKA_FRAMES } from '../run/wire.ts';
import { HOST, type Place, type ServerDefinition } from '../server.ts';

const VERSION = '4.3.1';

export const kafka: ServerDefinition = {
  name: 'kafka',
  version: VERSION,
  ports: ['broker', 'controller'],
  startupMs: 240_000,

  install: (folders, progress) =>
    fetchJars(
      [`org.apache.kafka:kafka_2.13:${VERSION}`, 'org.apache.logging.log4j:log4j-slf4j-impl:2.24.3'],
      folders,
      progress,
    ),

  async launch(place) {
    const settings = join(place.dir, 'server.properties');
    const logging = join(place.dir, 'logging');
    await mkdir(logging, { recursive: true });
    await writeFile(settings, properties(brokerSettings(place)));
    await writeFile(join(logging, 'log4j2.properties'), properties(LOGGING));
    await formatOnce(place, settings, logging);
    return java(place, { main: 'kafka.Kafka', args: [settings], heapMb: 512, folders: [logging] });
  },

  async ready({ ports }) {
    const answer = await ask(ports['broker'] as number, apiVersionsRequest(), KAFKA_FRAMES);
    const errorCode = answer.readInt16BE(8);
    if (errorCode !== 0) throw new Error(`ApiVersions answered error ${errorCode}`);
  },

  environment: ({ ports }) => ({ KAFKA_URL: `kafka://${HOST}:${ports['broker']}` }),
};

const brokerSettings = ({ dir, ports }: Place): Record<string, string | number> => ({
  'process.roles': 'broker,controller',
  'node.id': 1,
  'controller.quorum.voters': `1@${HOST}:${ports['controller']}`,
  listeners: `PLAINTEXT://${HOST}:${ports['broker']},CONTROLLER://${HOST}:${ports['controller']}`,
  'advertised.listeners': `PLAINTEXT://${HOST}:${ports['broker']}`,
  'controller.listener.names': 'CONTROLLER',
  'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
  'inter.broker.listener.name': 'PLAINTEXT',
  'log.dirs': join(dir, 'data'),
  'num.partitions': 3,
  // One node can hold one copy only.
  'default.replication.factor': 1,
  'offsets.topic.replication.factor': 1,
  'offsets.topic.num.partitions': 5,
  'transaction.state.log.replication.factor': 1,
  'transaction.state.log.min.isr': 1,
  'transaction.state.log.num.partitions': 5,
  'share.coordinator.state.topic.replication.factor': 1,
  'share.coordinator.state.topic.min.isr': 1,
  'group.initial.rebalance.delay.ms': 0,
  // A misspelt topic is an error, as on a well-kept cluster.
  'auto.create.topics.enable': 'false',
});

const LOGGING = {
  'rootLogger.level': 'WARN',
  'rootLogger.appenderRef.c.ref': 'C',
  'appender.c.type': 'Console',
  'appender.c.name': 'C',
  'appender.c.layout.type': 'PatternLayout',
  'appender.c.layout.pattern': '%d %p %c{1} %m%n',
};

const properties = (entries: Readonly<Record<string, string | number>>): string =>
  Object.entries(entries)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');

async function formatOnce({ installed, dir }: Place, settings: string, logging: string): Promise<void> {
  const formatted = await access(join(dir, 'data', 'meta.properties')).then(
    () => true,
    () => false,
  );
  if (formatted) return;
  const args = ['format', '-c', settings, '-t', randomBytes(16).toString('base64url')];
  const tool = java(
    { installed, busy: false },
    { main: 'kafka.tools.StorageTool', args, heapMb: 128, folders: [logging] },
  );
  await runTool(tool.program, tool.args, { cwd: dir });
}

/** ApiVersions, version 0: what every client asks first. A broker answers it once it serves requests. */
function apiVersionsRequest(): Buffer {
  const client = 'engram-stack';
  const request = Buffer.alloc(14 + client.length);
  request.writeInt32BE(request.length - 4, 0);
  request.writeInt16BE(18, 4);
  request.writeInt16BE(0, 6);
  request.writeInt32BE(1, 8);
  request.writeInt16BE(client.length, 12);
  request.write(client, 14, 'ascii');
  return request;
}
