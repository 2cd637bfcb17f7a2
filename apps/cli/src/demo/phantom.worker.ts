/** Makes the phantom's sessions in a thread of its own, so that the services go on answering meanwhile. */
import { parentPort, workerData } from 'node:worker_threads';
import { asEngramError } from '@engram/errors';
import { type AtlasFolder, loadAtlas } from '@engram/pipelines';
import { type DemoPlan, writePhantomSession } from './scans.ts';

const { atlasFolder, folder, plans }: { atlasFolder: AtlasFolder; folder: string; plans: readonly DemoPlan[] } =
  workerData;
try {
  const atlas = await loadAtlas(atlasFolder);
  for (const plan of plans) parentPort?.postMessage({ session: await writePhantomSession(atlas, plan, folder) });
} catch (thrown) {
  parentPort?.postMessage({ error: asEngramError(thrown).toJSON() });
}
