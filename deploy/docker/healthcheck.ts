/** Whether the service of this container answers: exit status 0 or 1. Without a service's name, all of them. */
import { request as http } from 'node:http';
import { request as https } from 'node:https';
import { loadConfig, SERVICES } from '@engram/config';

const config = loadConfig({ env: process.env });
const named = process.argv[2];
const services = SERVICES.filter((name) => name !== 'fhir' && (named === undefined || named === name));

/** The certificate is for the name that callers use, not for this address: what is asked here is only for a sign of life. */
const alive = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const host = config.host === '0.0.0.0' || config.host === '::' ? '127.0.0.1' : config.host;
    const options = { host, port, path: '/livez', timeout: 4000, rejectUnauthorized: false };
    (config.tls ? https : http)(options, (response) => resolve(response.resume().statusCode === 200))
      .on('timeout', () => resolve(false))
      .on('error', () => resolve(false))
      .end();
  });

const answers = await Promise.all(services.map((name) => alive(config.ports[name])));
process.exit(answers.length > 0 && answers.every(Boolean) ? 0 : 1);
