/** The service as a process of its own with the light pipeline, until it is killed. */

import { configFile } from '@engram/contracts';
import { pipeline } from './light-pipeline.fixture.ts';
import { pipelinesRunner } from './pipelines-runner.ts';
import { serveOn } from './service.fixture.ts';

const [folder = ''] = process.argv.slice(2);
const runner = pipelinesRunner({
  config: {
    device: 'scalar',
    segmenter: null,
    taskMemoryMb: 1024,
    taskTimeoutS: 60,
    pipelines: configFile.parse({}).pipelines,
  },
  definitionOf: () => pipeline,
});
const { service } = await serveOn({ folder, runner });
await service.start();
process.stdout.write('ready\n');
