/** docs/errors.md as text, from the catalogue. Pure. */
import { catalogue, type ErrorEntry } from './catalogue.ts';
import { dataCodes } from './codes/data.ts';
import { dicomCodes } from './codes/dicom.ts';
import { fhirCodes } from './codes/fhir.ts';
import { imagingCodes } from './codes/imaging.ts';
import { platformCodes } from './codes/platform.ts';
import { predictionCodes } from './codes/prediction.ts';
import { runCodes } from './codes/runs.ts';

const AREAS: readonly (readonly [title: string, codes: Readonly<Record<string, ErrorEntry>>])[] = [
  ['Settings, stores, bus, HTTP', platformCodes],
  ['Image files', dataCodes],
  ['DICOM', dicomCodes],
  ['Imaging', imagingCodes],
  ['FHIR', fhirCodes],
  ['Pipelines and runs', runCodes],
  ['Forecasts and the runs API', predictionCodes],
];

const row = (code: string, { title, action, retryable, status }: ErrorEntry): string =>
  `### ${code}\n\n${title}. ${action}\n\nHTTP ${status} · ${retryable ? 'may pass: retried by itself' : 'not retried'}\n`;

export function errorsDocument(): string {
  const areas = AREAS.map(
    ([title, codes]) =>
      `## ${title}\n\n${Object.entries(codes)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([code, entry]) => row(code, entry))
        .join('\n')}`,
  );
  return [
    '# Errors\n',
    `Every error has a code. APIs answer \`application/problem+json\` with it, the command line prints \`{"error":{"code":…}}\``,
    `under \`--json\`. ${Object.keys(catalogue).length} codes; this page is written by \`scripts/generate-errors-doc.ts\`.\n`,
    areas.join('\n'),
  ].join('\n');
}
