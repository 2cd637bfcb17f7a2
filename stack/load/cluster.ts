/** Engram's services as processes on real servers, any number of each; they can be killed and started again one by one. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ENGRAM, type Ending, type Running, startProcess } from '../e2e/platform.ts';
import { type Ports, platformEnvironment, SERVICES, type ServiceName, urlOf } from '../e2e/settings.ts';
import { freePorts, type RunningServer } from '../src/index.ts';

const RECORDED = fileURLToPath(new URL('recorded-preprocessing.ts', import.meta.url));

export interface ClusterOptions {
  readonly folder: string;
  readonly servers: ReadonlyMap<string, RunningServer>;
  /** Those that others call. A replica beyond the first listens elsewhere. */
  readonly ports: Ports;
  /** How many processes of each service; one where it does not say. */
  readonly replicas?: Partial<Record<ServiceName, number>>;
  /** Beyond and before what the servers and the test give. */
  readonly environment: Readonly<Record<string, string>>;
}

export interface Replica {
  readonly service: ServiceName;
  readonly pid: number | undefined;
  kill(): Promise<void>;
  start(): Promise<void>;
}

export interface Cluster {
  readonly replicas: readonly Replica[];
  of(service: ServiceName): Replica;
  stop(): Promise<readonly Ending[]>;
}

/** All of them, each ready. @throws what `startProcess` throws; those that were started are stopped first. */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const { replicas: counts = {} } = options;
  const replicas = await Promise.all(
    SERVICES.flatMap((service) =>
      Array.from({ length: counts[service] ?? 1 }, (_, k) => openReplica(options, service, k)),
    ),
  );
  const cluster: Cluster = {
    replicas,
    of: (service) => replicas.find((replica) => replica.service === service) as Replica,
    stop: async () => Promise.all(replicas.map((replica) => replica.stop())).then((all) => all.flat()),
  };
  try {
    await Promise.all(replicas.map((replica) => replica.start()));
  } catch (error) {
    await cluster.stop();
    throw error;
  }
  return cluster;
}

async function openReplica(options: ClusterOptions, service: ServiceName, number: number) {
  const { folder, servers, ports: shared } = options;
  const ports = number === 0 ? shared : { ...shared, [service]: (await freePorts(1))[0] };
  const environment = {
    ...platformEnvironment({ home: join(folder, 'home'), ports, pacs: '' }),
    ...Object.fromEntries([...servers.values()].flatMap((server) => Object.entries(server.environment))),
    ...peersAt(shared),
    ...options.environment,
    // Told apart by what a test loads into them.
    REPLICA: `${service}-${number + 1}`,
  };
  const args = service === 'preprocessing' ? [RECORDED] : [ENGRAM, 'start', service];
  let running: Running | undefined;
  return {
    service,
    get pid() {
      return running?.pid;
    },
    async start() {
      const url = urlOf(ports, service);
      running = await startProcess({ name: `${service}-${number + 1}`, args, environment, folder, url });
    },
    async kill() {
      await running?.kill();
      running = undefined;
    },
    async stop(): Promise<Ending[]> {
      return running === undefined ? [] : [await running.stop()];
    },
  };
}

/** A replica's own port must not be taken for its service's address. */
const peersAt = (ports: Ports): Record<string, string> => ({
  ENGRAM_INGESTION_URL: urlOf(ports, 'ingestion'),
  ENGRAM_FEATURE_STORE_URL: urlOf(ports, 'feature-store'),
  ENGRAM_PREDICTION_URL: urlOf(ports, 'prediction'),
});
