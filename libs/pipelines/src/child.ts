/**
 * The process that tasks run in: opens the device once, then runs what it is told, one task at a time. A crash here fails
 * one task and not the service. Started by `task-process.ts` with the pipeline's module and the device choice as arguments.
 */
import { asEngramError, EngramError } from '@engram/errors';
import { type Device, type DeviceOptions, openDevice } from '@engram/kernels';
import type { ChildMessage, ParentMessage, RunTaskMessage } from './child-messages.ts';
import type { AnyPipeline, TaskContext } from './task.ts';

const send = (message: ChildMessage): void => {
  process.send?.(message);
};

async function main(): Promise<void> {
  const [moduleUrl, choice] = process.argv.slice(2);
  const { pipeline }: { pipeline: AnyPipeline } = await import(moduleUrl);
  const options: DeviceOptions = JSON.parse(choice);
  const device = await openDevice(options);
  let queue: Promise<void> = Promise.resolve();
  process.on('message', (message: ParentMessage) => {
    queue = queue.then(() => runTask(pipeline, device, message));
  });
  send({ type: 'ready', device: { backend: device.info.backend, name: device.info.name } });
}

async function runTask(pipeline: AnyPipeline, device: Device, message: RunTaskMessage): Promise<void> {
  const before = process.cpuUsage();
  const cpuSeconds = () => {
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1e6;
  };
  try {
    const task = pipeline.tasks.find(({ name }) => name === message.task);
    if (!task) throw new EngramError('INTERNAL', `the pipeline has no task ${message.task}`);
    await task.run(contextOf(message, device));
    send({ type: 'done', cpuSeconds: cpuSeconds() });
  } catch (error) {
    send({ type: 'failed', cpuSeconds: cpuSeconds(), error: asEngramError(error).toJSON() });
  }
}

function contextOf(message: RunTaskMessage, device: Device): TaskContext {
  let told = 0;
  return {
    input: (name) => {
      const file = message.inputs[name];
      if (!file) throw new EngramError('INPUT_MISSING', `${message.task} lacks ${name}`, { field: name });
      return file;
    },
    has: (name) => name in message.inputs,
    tracer: message.tracer,
    parameters: message.parameters,
    workDir: message.workDir,
    device,
    progress: (fraction) => {
      // Every hundredth is enough for a bar; an iteration loop may call this thousands of times.
      if (fraction < told + 0.01 && fraction < 1) return;
      told = fraction;
      send({ type: 'progress', fraction: Math.min(1, fraction) });
    },
    note: (text) => send({ type: 'note', text, warning: false }),
    warn: (text) => send({ type: 'note', text, warning: true }),
  };
}

process.on('disconnect', () => process.exit(0));
main().catch((error: unknown) => {
  send({ type: 'failed', cpuSeconds: 0, error: asEngramError(error).toJSON() });
  process.disconnect?.();
  process.exitCode = 1;
});
