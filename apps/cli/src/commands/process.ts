/** `engram process`: one session from images to features, in this process's own temporary folder. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type ProcessReport, processReport } from '@engram/contracts';
import { EngramError } from '@engram/errors';
import {
  checkSegmenter,
  ensureAtlas,
  folderTaskStore,
  pipelineNamed,
  runPipeline,
  writeSession,
} from '@engram/pipelines';
import { VERSION } from '@engram/service';
import { type Command, Option } from 'commander';
import { type DeviceFlags, deviceOptions } from '../device-options.ts';
import { forPeople, progressOn, speak } from '../output.ts';
import { table } from '../table.ts';

interface Options extends DeviceFlags {
  readonly t1: string;
  readonly pet?: string;
  readonly out: string;
  readonly tracer?: string;
  readonly patient: string;
  readonly sessionDate?: string;
  readonly atlas?: string;
  readonly segmenter?: string;
  readonly json?: boolean;
}

const DATE = /^\d{4}-\d{2}-\d{2}(_\d+)?$/;

async function processSession(options: Options): Promise<ProcessReport> {
  const sessionDate = options.sessionDate ?? new Date().toISOString().slice(0, 10);
  if (!DATE.test(sessionDate))
    throw new EngramError('REQUEST_INVALID', `--session-date ${sessionDate} is not YYYY-MM-DD`, {
      field: 'session-date',
    });
  const progress = progressOn();
  const work = await mkdtemp(join(tmpdir(), 'engram-process-'));
  const abort = new AbortController();
  const stop = () => abort.abort();
  process.once('SIGINT', stop).once('SIGTERM', stop);
  try {
    const device = await deviceOptions(options);
    const atlas = await ensureAtlas({
      onProgress: progress.update,
      ...(options.atlas === undefined ? {} : { dir: resolve(options.atlas) }),
    });
    const network = options.segmenter === undefined ? undefined : await checkSegmenter(resolve(options.segmenter));
    const outcome = await runPipeline({
      definition: pipelineNamed('adni'),
      inputs: {
        t1: { path: resolve(options.t1) },
        ...(options.pet === undefined ? {} : { pet: { path: resolve(options.pet), tracer: options.tracer } }),
      },
      resources: {
        atlas: { path: atlas.dir, sha256: atlas.sha256 },
        ...(network ? { segmenter: { path: network.dir, sha256: network.sha256 } } : {}),
      },
      store: folderTaskStore(join(work, 'store')),
      workDir: join(work, 'tasks'),
      device,
      signal: abort.signal,
      onProgress: ({ task, fraction, secondsLeft }) => {
        const left = secondsLeft === null ? '' : `, about ${forPeople(secondsLeft)} left`;
        progress.update(`${String(Math.floor(100 * fraction)).padStart(3)} % ${task}${left}`);
      },
    });
    progress.done();
    if (outcome.status === 'cancelled') throw new EngramError('RUN_CANCELLED', 'stopped');
    if (outcome.error) throw outcome.error;
    const { manifest, sha256 } = atlas;
    const files = await writeSession(
      outcome,
      {
        patientId: options.patient,
        sessionDate,
        atlas: { name: manifest.name, version: manifest.version, sha256 },
        engineVersion: VERSION,
      },
      resolve(options.out),
    );
    const { user, system } = process.cpuUsage();
    const tasks = outcome.tasks.filter(({ status }) => status === 'completed');
    return processReport.parse({
      status: 'completed',
      artifacts: files.artifacts.map(({ name, path, sha256: hash }) => ({ name, path, sha256: hash })),
      qc: files.quality,
      durations: { ...Object.fromEntries(tasks.map(({ name, seconds }) => [name, seconds])), total_s: outcome.seconds },
      cpu_seconds: outcome.cpuSeconds + (user + system) / 1e6,
      peak_memory_mb: outcome.peakMemoryMb,
      device: outcome.device.name,
      version: VERSION,
    } satisfies ProcessReport);
  } finally {
    progress.done();
    process.off('SIGINT', stop).off('SIGTERM', stop);
    await rm(work, { recursive: true, force: true });
  }
}

function forReaders({ qc, artifacts, durations }: ProcessReport): string {
  const rows = qc.metrics.map(({ name, value, unit, pass, verdict }) => [name, `${value ?? '–'}`, unit, pass, verdict]);
  return [
    `verdict ${qc.verdict}, registration ${qc.registration_quality}, motion ${qc.motion_artifacts}, ${forPeople(durations['total_s'] ?? 0)}`,
    ...qc.reasons.map((reason) => `  ${reason}`),
    ...qc.preprocessing_warnings.map((warning) => `  warning: ${warning}`),
    '',
    table([['metric', 'value', 'unit', 'pass', 'verdict'], ...rows]),
    '',
    ...artifacts.map(({ path }) => path),
    '',
  ].join('\n');
}

export function processCommand(program: Command): void {
  program
    .command('process')
    .description('one session: T1 and PET to regional features with quality control')
    .requiredOption('--t1 <path>', 'T1: NIfTI file or folder of DICOM files')
    .option('--pet <path>', 'PET: NIfTI file (3D or 4D) or folder of DICOM files')
    .requiredOption('--out <dir>', 'folder for the seven objects of the session')
    .option('--tracer <name>', 'radiopharmaceutical, where the files do not name it')
    .option('--patient <id>', 'patient id to write into the features', 'unknown')
    .option('--session-date <date>', 'YYYY-MM-DD (default: today)')
    .option('--atlas <dir>', 'another atlas: a folder with atlas.json')
    .addOption(
      new Option('--segmenter <dir>', 'labels by a network instead of the registered atlas').env('ENGRAM_SEGMENTER'),
    )
    .option('--device <name>', 'auto, cpu, gpu or a backend', 'auto')
    .option('--threads <n>', 'threads of a CPU device')
    .option('--json', 'print the report as one JSON object')
    .action((options: Options) =>
      speak(options, async () => {
        const report = await processSession(options);
        if (!options.json) process.stdout.write(forReaders(report));
        return report;
      }),
    );
}
