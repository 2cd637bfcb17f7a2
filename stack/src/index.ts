/**
 * Real servers for tests, from the package registries.
 *
 * @example
 * const [kafka] = await startServers(['kafka'], { dir: '/tmp/here' });
 * await openBus(kafka.environment.KAFKA_URL);
 * await kafka.stop();
 * @module
 */

export { freePorts } from './run/ports.ts';
export type { RunningServer, StartOptions } from './run/start-server.ts';
export { startServers } from './run/start-servers.ts';
