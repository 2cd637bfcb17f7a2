/** The README's own command, as a user types it, checked by value: `npm run demo -- --once --json`. */
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type DemoReport, demoReport, HORIZONS_MONTHS, horizonKey, SCORES } from '@engram/contracts';
import { beforeAll, describe, expect, test } from 'vitest';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', '..');

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      err += chunk.toString();
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, out, err }));
  });
}

const BOUNDS: Record<(typeof SCORES)[number], readonly [number, number]> = {
  mmse: [0, 30],
  cdr_global: [0, 3],
  cdr_sob: [0, 18],
  adas_cog: [0, 85],
};

describe('npm run demo -- --once --json', () => {
  let ended: Ended;
  let report: DemoReport;

  beforeAll(async () => {
    ended = await run('npm', ['run', '--silent', 'demo', '--', '--once', '--json']);
    expect(ended.code, ended.err.slice(-2000)).toBe(0);
    report = demoReport.parse(JSON.parse(ended.out));
  }, 600_000);

  test('prints exactly one JSON object on standard output, under its schema', () => {
    expect(ended.out.trim().split('\n')).toHaveLength(1);
  });

  test('three sessions completed, each with 93 + 93 features, its own run and trace', () => {
    expect(report.sessions).toHaveLength(3);
    for (const session of report.sessions) {
      expect(session).toMatchObject({ status: 'completed', features: { mri: 93, pet: 93 } });
      expect(['pass', 'review']).toContain(session.qc.verdict);
      expect(session.trace_id).toMatch(/^[0-9a-f]{32}$/);
    }
    expect(new Set(report.sessions.map((session) => session.run_id)).size).toBe(3);
    expect(new Set(report.sessions.map((session) => session.trace_id)).size).toBe(3);
  });

  test('the forecast has ten horizons of four scores within their scales, each inside its intervals', () => {
    const { forecast } = report;
    expect(forecast).not.toBeNull();
    if (forecast === null) return;
    for (const months of HORIZONS_MONTHS)
      for (const score of SCORES) {
        const value = forecast.predictions[horizonKey(months)][score];
        const [low, high] = BOUNDS[score];
        expect(value).toBeGreaterThanOrEqual(low);
        expect(value).toBeLessThanOrEqual(high);
        for (const interval of forecast.intervals[horizonKey(months)][score]) {
          expect(interval.lower).toBeLessThanOrEqual(value);
          expect(interval.upper).toBeGreaterThanOrEqual(value);
        }
      }
  });

  test('the declining patient is forecast to decline: five years on is worse than half a year on', () => {
    const { predictions } = report.forecast ?? { predictions: undefined };
    expect(predictions?.['60_months'].mmse).toBeLessThan(predictions?.['6_months'].mmse ?? 0);
    expect(predictions?.['60_months'].cdr_sob).toBeGreaterThan(predictions?.['6_months'].cdr_sob ?? 0);
  });

  test('a forecast and its sessions are written back: 40 numbers, a risk, a report and more', () => {
    expect(report.write_back.resources).toBeGreaterThanOrEqual(40 + 2 + 3);
  });

  test('progress goes to standard error with the notice that this is for research only', () => {
    expect(ended.err).toContain('Research use only');
  });
});

describe('a demo that cannot run says so in one plain line', () => {
  const lines = (text: string): string[] => text.split('\n').filter((line) => line.startsWith('engram: '));

  test('a file that is not there', async () => {
    const ended = await run('npm', [
      'run',
      '--silent',
      'demo',
      '--',
      '--once',
      '--json',
      '--t1',
      'no-such-scan.nii.gz',
    ]);
    expect(ended.code).not.toBe(0);
    expect(JSON.parse(ended.out)).toMatchObject({ error: { code: 'FILE_NOT_FOUND' } });
    expect(lines(ended.err)).toHaveLength(1);
  });

  test('an atlas folder without an atlas', async () => {
    const ended = await run('npm', ['run', '--silent', 'demo', '--', '--once', '--atlas', 'docs']);
    expect(ended.code).not.toBe(0);
    expect(lines(ended.err)[0]).toContain('ATLAS_UNAVAILABLE');
  });

  test('a port that is taken', async () => {
    const blocker = createServer();
    await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve));
    const address = blocker.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    try {
      const ended = await run('npm', ['run', '--silent', 'demo', '--', '--once'], {
        ENGRAM_RESULTS_PORT: String(port),
      });
      expect(ended.code).not.toBe(0);
      expect(lines(ended.err)[0]).toContain('PORT_TAKEN');
    } finally {
      blocker.close();
    }
  });
});
