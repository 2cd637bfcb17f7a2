/** What was measured, one column a number of scans, in Markdown. */
import { SERVICES } from '../e2e/settings.ts';
import { quantile } from './stages.ts';
import type { ScaleResult } from './trial.ts';

const P95 = 0.95;
const MEDIAN = 0.5;
const QUARTERS = [0.25, 0.5, 0.75, 1];

const SERVERS = ['kafka', 'minio', 'mongodb', 'hapi'];

type Row = readonly [name: string, of: (result: ScaleResult) => string];

const usageRows = (one: string, all: string, name: string): Row[] => [
  [
    `memory of ${one} at a quarter, half, three quarters, the end, MB`,
    ({ samples }) => QUARTERS.map((share) => per(memoryAt(samples.residentMb.get(name) ?? [], share), 0)).join(' / '),
  ],
  [`CPU of ${all}, s a scan`, (result) => per(cpuOf(result, [name]) / result.scans, 3)],
];

/** The largest of a process of that name, at a share of the run's time. */
const memoryAt = (samples: readonly number[], share: number): number =>
  samples[Math.ceil(share * samples.length) - 1] ?? Number.NaN;

const per = (value: number, digits = 1): string => (Number.isNaN(value) ? '-' : value.toFixed(digits));
const cpuOf = ({ samples }: ScaleResult, names: readonly string[]): number =>
  names.reduce((sum, name) => sum + (samples.cpuSeconds.get(name) ?? 0), 0);

export function tableOf(results: readonly ScaleResult[]): string {
  const [first] = results;
  if (first === undefined) return '';
  const stages = first.stages.map(
    ({ stage }, at): Row => [
      `${stage}: median / p95, s`,
      ({ stages: own }) => [MEDIAN, P95].map((share) => per(quantile(own[at]?.seconds ?? [], share))).join(' / '),
    ],
  );
  const rows: readonly Row[] = [
    ['in all, s', ({ seconds }) => per(seconds)],
    ['scans an hour', ({ scans, seconds }) => per((scans / seconds) * 3600, 0)],
    ['urgent run waits, s', ({ urgentWait }) => per(urgentWait)],
    ['urgent run as a worker dies waits, s', ({ urgentWaitAfterKill }) => per(urgentWaitAfterKill)],
    ...stages,
    ...[...first.samples.lag.keys()].map(
      (group): Row => [`most events before ${group}`, ({ samples }) => per(samples.lag.get(group) ?? 0, 0)],
    ),
    ...SERVICES.flatMap((name): Row[] => usageRows(`a ${name} process`, `all ${name}`, name)),
    ['CPU of all services, s a scan', (result) => per(cpuOf(result, SERVICES) / result.scans, 3)],
    ...SERVERS.filter((name) => first.samples.cpuSeconds.has(name)).flatMap((name) => usageRows(name, name, name)),
  ];
  const lines = [
    ['', ...results.map(({ scans }) => `${scans} scans`)],
    ['---', ...results.map(() => '---:')],
    ...rows.map(([name, of]) => [name, ...results.map(of)]),
  ];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
