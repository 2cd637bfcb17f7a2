/**
 * The brokers behind kafkajs's consumer. kafkajs hands its `Cluster` (metadata, leaders, requests to one broker) to
 * partition assigners only; so a consumer that never runs asks for it as one.
 */
import { type Cluster, type Kafka, PartitionAssigners } from 'kafkajs';

export interface ConnectedCluster {
  /** Connected, with metadata of these topics; looked up anew after `stale`. */
  knowing(topics: readonly string[]): Promise<Cluster>;
  /** After a failed request: leaders may have moved. */
  stale(error: unknown): void;
  close(): Promise<void>;
}

export function openCluster(kafka: Kafka, readerGroup: string): ConnectedCluster {
  const taken = Promise.withResolvers<Cluster>();
  const consumer = kafka.consumer({
    groupId: readerGroup,
    partitionAssigners: [
      (config) => {
        taken.resolve(config.cluster);
        return PartitionAssigners.roundRobin(config);
      },
    ],
  });
  let outdated = false;

  return {
    async knowing(topics) {
      const cluster = await taken.promise;
      if (!cluster.isConnected()) await consumer.connect();
      await cluster.addMultipleTargetTopics([...topics]);
      if (outdated) await cluster.refreshMetadata();
      else await cluster.refreshMetadataIfNecessary();
      outdated = false;
      return cluster;
    },
    stale(error) {
      outdated = true;
      if (!isConnectionError(error)) return;
      void taken.promise.then((cluster) => cluster.removeBroker(error));
    },
    close: () => consumer.disconnect(),
  };
}

function isConnectionError(error: unknown): error is { host: string; port: number } {
  if (!(error instanceof Error) || error.name !== 'KafkaJSConnectionClosedError') return false;
  return 'host' in error && typeof error.host === 'string' && 'port' in error && typeof error.port === 'number';
}
