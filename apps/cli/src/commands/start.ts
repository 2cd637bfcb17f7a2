/** `engram start [service]`: all five services on embedded adapters, or one of them on adapters that others share. */
import { loadConfig, requireDistributed, SERVICES, type ServiceName } from '@engram/config';
import { RESEARCH_USE_ONLY } from '@engram/contracts';
import { EngramError } from '@engram/errors';
import type { Command } from 'commander';
import { startPlatform } from '../compose/platform.ts';
import { speak } from '../output.ts';

const MAINS: Readonly<Record<Exclude<ServiceName, 'fhir'>, string>> = {
  ingestion: '../../../../services/ingestion/src/main.ts',
  preprocessing: '../../../../services/preprocessing/src/main.ts',
  'feature-store': '../../../../services/feature-store/src/main.ts',
  prediction: '../../../../services/prediction/src/main.ts',
  results: '../../../../services/results/src/main.ts',
};

const isService = (name: string): name is keyof typeof MAINS => name in MAINS;

export function startCommand(program: Command): void {
  program
    .command('start')
    .description('all five services in one process on embedded adapters, or one service by itself')
    .argument(
      '[service]',
      `one of ${SERVICES.filter((name) => name !== 'fhir').join(', ')}; needs adapters that others share`,
    )
    .option('--json', 'print the URLs as one JSON object')
    .action((service: string | undefined, options: { json?: boolean }) =>
      speak(options, async () => {
        if (service !== undefined) {
          if (!isService(service))
            throw new EngramError('REQUEST_INVALID', `there is no service ${service}`, { field: 'service' });
          requireDistributed(loadConfig({ env: process.env }));
          await import(MAINS[service]);
          return undefined;
        }
        const platform = await startPlatform(loadConfig({ env: process.env }));
        if (options.json) process.stdout.write(`${JSON.stringify({ urls: platform.urls })}\n`);
        else {
          process.stderr.write(
            `${RESEARCH_USE_ONLY}\nEmbedded adapters below .engram/: for trying out, not for production.\n`,
          );
          for (const [name, url] of Object.entries(platform.urls)) process.stdout.write(`${name.padEnd(14)} ${url}\n`);
        }
        await new Promise<void>((done) => {
          for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => done());
        });
        await platform.stop();
        return undefined;
      }),
    );
}
