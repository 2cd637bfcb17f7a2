// Plain JavaScript for any Node from 20 on: a process that becomes another one, as far as Node allows that.
import { spawn } from 'node:child_process';

/**
 * Runs a program in this process's place: same streams, same signals, same exit status, and never outlived by it.
 * @param {string} program
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} env
 */
export function handOver(program, args, env = process.env) {
  const child = spawn(program, args, { stdio: 'inherit', env });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    // A terminal tells every process of its group by itself, and a second SIGINT would cut a graceful end short.
    const told = signal !== 'SIGTERM' && process.stdin.isTTY;
    process.on(signal, () => told || child.kill(signal));
  }
  child.on('error', (error) => {
    process.stderr.write(`${program} cannot be started: ${error.message}\n`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => process.exit(code ?? (signal ? 1 : 0)));
}
