/** `engram dead-letters` and `engram replay`: what an operator does to the events of services. */
import { loadConfig } from '@engram/config';
import type { DeadLettersReport } from '@engram/contracts';
import { EngramError } from '@engram/errors';
import { CONSUMERS, type Consumer, type Letter, type Operations, openOperations } from '@engram/service';
import type { Command } from 'commander';
import { speak } from '../output.ts';
import { table } from '../table.ts';

interface Options {
  readonly service?: string;
  readonly json?: boolean;
}

function consumerOf(name: string): Consumer {
  const service = CONSUMERS.find((one) => one === name);
  if (service) return service;
  throw new EngramError('REQUEST_INVALID', `no service ${name} reads events: it is one of ${CONSUMERS.join(', ')}`, {
    field: 'service',
  });
}

const consumersOf = ({ service }: Options): readonly Consumer[] =>
  service === undefined ? CONSUMERS : [consumerOf(service)];

async function operating<T>(work: (operations: Operations) => Promise<T>): Promise<T> {
  const operations = await openOperations(loadConfig({ env: process.env }));
  try {
    return await work(operations);
  } finally {
    await operations.close();
  }
}

const reportOf = ({ service, type, event, attempts, firstFailure, lastFailure, cause }: Letter) => ({
  service,
  type,
  event_id: event.id,
  subject: event.subject,
  attempts,
  first_failure: firstFailure,
  last_failure: lastFailure,
  cause,
});

const print = (text: string): void => void process.stdout.write(`${text}\n`);

function list(letters: readonly Letter[]): void {
  const rows = letters.map(({ service, type, event, attempts, lastFailure, cause }) => [
    service,
    type,
    event.id,
    String(attempts),
    lastFailure,
    cause.code,
  ]);
  print(
    rows.length === 0 ? 'no dead letters' : table([['service', 'type', 'event', 'tries', 'last', 'cause'], ...rows]),
  );
}

export function deadLettersCommand(program: Command): void {
  const command = program.command('dead-letters').description('events that a service gave up on, with their causes');
  const service = ['--service <name>', `only of this service: ${CONSUMERS.join(', ')}`] as const;

  command
    .command('list')
    .description('the dead letters, oldest first')
    .option(...service)
    .option('--json', 'print one JSON object')
    .action((options: Options) =>
      speak(options, () =>
        operating(async (operations): Promise<DeadLettersReport> => {
          const letters = await operations.deadLetters(consumersOf(options));
          if (!options.json) list(letters);
          return { dead_letters: letters.map(reportOf) };
        }),
      ),
    );

  command
    .command('show')
    .description('a dead letter with its event, as JSON')
    .argument('<event>', 'id of the event')
    .action((id: string) =>
      speak({}, () =>
        operating(async (operations) => {
          const letters = (await operations.deadLetters()).filter(({ event }) => event.id === id);
          if (letters.length === 0) throw new EngramError('NOT_FOUND', `no dead letter has the event ${id}`);
          for (const letter of letters) print(JSON.stringify({ ...reportOf(letter), event: letter.event }, null, 2));
        }),
      ),
    );

  command
    .command('redrive')
    .description('hands dead letters back to their services, with their tries counted anew')
    .argument('[events...]', 'ids of events; without any, --all is needed')
    .option(...service)
    .option('--all', 'all of them')
    .option('--json', 'print one JSON object')
    .action((ids: readonly string[], options: Options & { readonly all?: boolean }) =>
      speak(options, async () => {
        if (ids.length === 0 && !options.all) {
          throw new EngramError('REQUEST_INVALID', 'name the events, or say --all', { field: 'events' });
        }
        return operating(async (operations) => {
          const redriven = await operations.redrive(consumersOf(options), ids.length > 0 ? ids : undefined);
          if (!options.json) print(`${redriven} handed back`);
          return { redriven };
        });
      }),
    );
}

export function replayCommand(program: Command): void {
  program
    .command('replay')
    .description('has a service see its events from an instant on again')
    .argument('<service>', CONSUMERS.join(', '))
    .requiredOption('--since <instant>', 'ISO 8601, such as 2026-01-01T00:00:00Z')
    .option('--again', 'also what it has handled: it is made to forget that first')
    .option('--json', 'print one JSON object')
    .action((name: string, options: { readonly since: string; readonly again?: boolean; readonly json?: boolean }) =>
      speak(options, async () => {
        const service = consumerOf(name);
        const since = new Date(options.since);
        if (Number.isNaN(since.getTime())) {
          throw new EngramError('REQUEST_INVALID', `${options.since} is not an instant`, { field: 'since' });
        }
        return operating(async (operations) => {
          const forgotten = await operations.replay(service, since, { forget: options.again ?? false });
          if (!options.json) print(`${service} reads again from ${since.toISOString()}; ${forgotten} forgotten`);
          return { service, since: since.toISOString(), forgotten };
        });
      }),
    );
}
