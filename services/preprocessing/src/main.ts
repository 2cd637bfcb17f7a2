/** The preprocessing service as a process. */
import { runService, VERSION } from '@engram/service';
import { createPreprocessing } from './index.ts';

await runService('preprocessing', async (deps) => createPreprocessing({ ...deps, version: VERSION }));
