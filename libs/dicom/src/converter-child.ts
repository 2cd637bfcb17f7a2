/**
 * A process of its own for one conversion: a hostile file crashes the sandbox, not the service. Reads a job as JSON from
 * standard input, converts with a fresh dcm2niix WebAssembly module, writes the images into the job's folder and a report
 * to standard output.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { asEngramError } from '@engram/errors';
import type { ConverterJob, ConverterReport } from './converter-protocol.ts';
import { loadDcm2niix } from './dcm2niix-module.ts';
import { normalisePixels } from './normalise-pixels.ts';
import { sanitisePreamble } from './sanitise-preamble.ts';

async function convert(job: ConverterJob): Promise<ConverterReport> {
  const entry = import.meta.resolve('@niivue/dcm2niix');
  const log: string[] = [];
  const module = await loadDcm2niix(new URL('./dcm2niix.jpeg.js', entry), {
    wasmBinary: readFileSync(new URL('./dcm2niix.jpeg.wasm', entry)),
    print: (line) => log.push(line),
    printErr: (line) => log.push(line),
  });
  module.FS.mkdir('/in');
  module.FS.mkdir('/out');
  for (const [index, { path, name }] of job.files.entries()) {
    for (const [frame, bytes] of normalisePixels(sanitisePreamble(readFileSync(path)), name).entries()) {
      module.FS.createDataFile('/in', `${index}${frame === 0 ? '' : `_${frame}`}.dcm`, bytes, true, true);
    }
  }
  // No gzip inside: zlib there is slower, and ours writes no time. Anonymised sidecars (-ba y).
  const exitCode = module.callMain(['-z', 'n', '-b', 'y', '-ba', 'y', '-f', 'out', '-o', '/out', '/in']);
  const outputs = module.FS.readdir('/out').filter((name) => /^[\w.-]+\.(nii|json)$/.test(name));
  for (const name of outputs) writeFileSync(join(job.folder, name), module.FS.readFile(`/out/${name}`));
  return { exitCode, outputs, log };
}

let input = '';
for await (const chunk of process.stdin.setEncoding('utf8')) input += chunk;
const report: ConverterReport = await convert(JSON.parse(input)).catch((error: unknown) => ({
  exitCode: -1,
  outputs: [],
  log: [],
  error: asEngramError(error, 'DICOM_CONVERSION_FAILED').toJSON(),
}));
process.stdout.write(JSON.stringify(report));
// Emscripten sets dcm2niix's own exit code, which the report already carries.
process.exitCode = 0;
