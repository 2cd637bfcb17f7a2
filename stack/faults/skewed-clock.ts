/**
 * Loaded into a service before all else (`node --import`): its wall clock is off by the milliseconds in the file of its name, and jumps
 * when that changes. Timers go on as they are: the clock that they run by jumps on no machine.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const LOOK_EVERY_MS = 100;
const { CLOCKS = '', REPLICA = '' } = process.env;
const Truth = Date;
let off = 0;

const now = (): number => Truth.now() + off;
globalThis.Date = new Proxy(Truth, {
  construct: (target, args, newTarget) => Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget),
  get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
});

function look(): void {
  try {
    off = Number(readFileSync(join(CLOCKS, REPLICA), 'utf8'));
  } catch {
    off = 0;
  }
}

look();
setInterval(look, LOOK_EVERY_MS).unref();
