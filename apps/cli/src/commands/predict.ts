/** `engram predict PATIENT`: asks the prediction service for a patient's forecast. */
import { type Forecast, forecast, problem } from '@engram/contracts';
import { catalogue, EngramError, type ErrorCode } from '@engram/errors';
import type { Command } from 'commander';
import { forecastTable } from '../demo/report.ts';
import { speak } from '../output.ts';

interface Options {
  readonly url?: string;
  readonly token?: string;
  readonly json?: boolean;
}

const TIMEOUT_MS = 60_000;

/** @throws UPSTREAM_FAILED when nothing answers there; the service's own code when it refuses. */
export async function askForecast(base: string, patientId: string, token?: string): Promise<Forecast> {
  const response = await fetch(`${base}/api/v1/adni/predict-progression`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({ patient_id: patientId }),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).catch((cause: unknown) => {
    throw new EngramError('UPSTREAM_FAILED', `nothing answers at ${base}: start it with "engram start"`, { cause });
  });
  const body: unknown = await response.json();
  if (response.ok) return forecast.parse(body);
  const refusal = problem.safeParse(body);
  if (!refusal.success) throw new EngramError('UPSTREAM_FAILED', `the prediction service answered ${response.status}`);
  const code = refusal.data.code in catalogue ? (refusal.data.code as ErrorCode) : 'UPSTREAM_FAILED';
  throw new EngramError(code, refusal.data.detail);
}

export function predictCommand(program: Command): void {
  program
    .command('predict')
    .description('the forecast of a patient, from stored features and measured scores')
    .argument('<patient>', 'FHIR Patient id')
    .option(
      '--url <url>',
      'base URL of the prediction service',
      process.env['ENGRAM_PREDICTION_URL'] ?? 'http://127.0.0.1:7014',
    )
    .option('--token <token>', 'bearer token', process.env['ENGRAM_TOKEN'])
    .option('--json', 'print the forecast as one JSON object')
    .action((patient: string, options: Options) =>
      speak(options, async () => {
        const answer = await askForecast((options.url ?? '').replace(/\/+$/, ''), patient, options.token);
        if (!options.json) {
          const warnings = answer.warnings.map((warning) => `warning: ${warning.message}`);
          process.stdout.write(
            [
              `Forecast of ${answer.patient_id}, months after ${answer.index_date} (${answer.model_version})`,
              forecastTable(answer),
              ...warnings,
              answer.disclaimer,
              '',
            ].join('\n'),
          );
        }
        return answer;
      }),
    );
}
