/** The `engram` command. */

import { VERSION } from '@engram/service';
import { Command } from 'commander';
import { demoCommand } from './commands/demo.ts';
import { doctorCommand } from './commands/doctor.ts';
import { deadLettersCommand, replayCommand } from './commands/operate.ts';
import { predictCommand } from './commands/predict.ts';
import { processCommand } from './commands/process.ts';
import { registerCommand } from './commands/register.ts';
import { reprocessCommand } from './commands/reprocess.ts';
import { startCommand } from './commands/start.ts';

const program = new Command('engram')
  .description('From a brain scan’s arrival to a forecast that answers at once. Research use only.')
  .version(VERSION)
  .showHelpAfterError('(see --help)');
for (const add of [
  processCommand,
  registerCommand,
  startCommand,
  demoCommand,
  predictCommand,
  reprocessCommand,
  deadLettersCommand,
  replayCommand,
  doctorCommand,
])
  add(program);
await program.parseAsync();
