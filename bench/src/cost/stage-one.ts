/** What the whole preprocessing costs: task by task, and how it grows with voxels, threads and runs at once. */
import { performance } from 'node:perf_hooks';
import type { DeviceOptions } from '@engram/kernels';
import type { RunOutcome } from '@engram/pipelines';
import { petFromLabels, t1FromLabels } from '@engram/testing';
import type { Volume } from '@engram/volume';
import { readSubject } from '../accuracy/label-maps.ts';
import { withPipeline } from '../accuracy/pipeline-on.ts';

/** One of those reported on, with large ventricles. */
const SUBJECT = '11';
const SIZES_MM = [2.5, 2, 1.5, 1.2, 1];

export interface Session {
  readonly t1: Volume;
  readonly pet: Volume;
}

export async function sessionAt(voxelMm: number): Promise<Session> {
  const labels = await readSubject(SUBJECT);
  const seed = Number(SUBJECT);
  return {
    t1: t1FromLabels(labels, voxelMm === 1 ? { seed } : { seed, voxelMm }).t1,
    pet: petFromLabels(labels, { seed, rigid: { degrees: 5, mm: 6 } }).pet,
  };
}

export interface Cost {
  readonly what: string;
  readonly voxels: number;
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  readonly peakMemoryMb: number;
}

export interface TaskCost {
  readonly task: string;
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  readonly peakMemoryMb: number;
}

/** Each task of one session at 1 mm: T1 and PET. */
export async function costOfTasks(): Promise<{ readonly tasks: readonly TaskCost[]; readonly outcome: RunOutcome }> {
  const outcome = await completed(await sessionAt(1));
  const tasks = outcome.tasks.map(({ name, seconds, cpuSeconds, peakMemoryMb }) => ({
    task: name,
    wallSeconds: seconds,
    cpuSeconds,
    peakMemoryMb,
  }));
  return { tasks, outcome };
}

/** Voxel sizes with all threads, then threads and runs at once at 1.5 mm. */
export async function* costGrowth(): AsyncGenerator<Cost> {
  for (const mm of SIZES_MM) yield costOf(`${mm} mm`, [await sessionAt(mm)]);
  const session = await sessionAt(1.5);
  for (const threads of [1, 2])
    yield costOf(`1.5 mm, ${threads} thread${threads === 1 ? '' : 's'}`, [session], { threads });
  for (const runs of [2, 3])
    yield costOf(`1.5 mm, ${runs} runs at once, 1 thread each`, new Array<Session>(runs).fill(session), { threads: 1 });
}

async function costOf(what: string, sessions: readonly Session[], device: DeviceOptions = {}): Promise<Cost> {
  const started = performance.now();
  const outcomes = await Promise.all(sessions.map((session) => completed(session, device)));
  return {
    what,
    voxels: sessions[0].t1.data.length,
    wallSeconds: (performance.now() - started) / 1000,
    cpuSeconds: outcomes.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
    peakMemoryMb: outcomes.reduce((sum, { peakMemoryMb }) => sum + peakMemoryMb, 0),
  };
}

function completed({ t1, pet }: Session, device: DeviceOptions = {}): Promise<RunOutcome> {
  return withPipeline(
    { t1, pet },
    async ({ outcome }) => {
      if (outcome.error) throw outcome.error;
      return outcome;
    },
    device,
  );
}
