/** What was measured, one column a number of scans, in Markdown. */
import { SERVICES } from '../e2e/settings.ts';
import { quantile } from './stages.ts';
import type { ScaleResult } from './trial.ts';

const P95 = 0.95;
const MEDIAN = 0.5;

const SERVERS = ['kafka', 'minio', 'mongodb', 'hapi'];

type Row = readonly [name: string, of: (result: ScaleResult) => string];

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
    ...stages,
    ...[...first.samples.lag.keys()].map(
      (group): Row => [`most events before ${group}`, ({ samples }) => per(samples.lag.get(group) ?? 0, 0)],
    ),
    ...SERVICES.map(
      (name): Row => [
        `largest memory of a ${name} process, MB`,
        ({ samples }) => per(samples.residentMb.get(name) ?? 0, 0),
      ],
    ),
    ['CPU of all services, s a scan', (result) => per(cpuOf(result, SERVICES) / result.scans, 3)],
    ...SERVERS.filter((name) => first.samples.cpuSeconds.has(name)).flatMap((name): Row[] => [
      [`CPU of ${name}, s a scan`, (result) => per(cpuOf(result, [name]) / result.scans, 3)],
      [`largest memory of ${name}, MB`, ({ samples }) => per(samples.residentMb.get(name) ?? 0, 0)],
    ]),
  ];
  const lines = [
    ['', ...results.map(({ scans }) => `${scans} scans`)],
    ['---', ...results.map(() => '---:')],
    ...rows.map(([name, of]) => [name, ...results.map(of)]),
  ];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
