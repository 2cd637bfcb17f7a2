// The whole pipeline on a graphics device: SwiftShader where no other is asked for, so on a coarse phantom.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { listDevices } from '@engram/kernels';
import { swiftshaderEnvironment, useSwiftshader } from '@engram/testing';
import { afterAll, expect, test } from 'vitest';
import { type RunOutcome, runPipeline } from '../runner.ts';
import { folderTaskStore } from '../task-store.ts';
import { atlasForTests, writePhantom } from './phantom.fixture.ts';
import { pipeline } from './pipeline.ts';
import { type SessionFiles, writeSession } from './write-session.ts';

const missing =
  useSwiftshader() ??
  ((await listDevices()).some(({ backend, available }) => backend === 'webgpu' && available)
    ? null
    : 'no graphics device');
const atlas = atlasForTests;
const dir = await mkdtemp(join(tmpdir(), 'engram-webgpu-'));
afterAll(() => rm(dir, { recursive: true, force: true }));

test.skipIf(missing !== null || atlas === undefined)(
  `T1 and PET run through on WebGPU and give the numbers of WASM (${missing ?? 'here'})`,
  async () => {
    if (!atlas) return;
    // The loader of the task process is told when that process starts.
    if (process.env['ENGRAM_TEST_GPU'] !== '1') Object.assign(process.env, swiftshaderEnvironment());
    const phantom = await writePhantom(atlas, dir);
    const run = async (backend: 'wasm' | 'webgpu'): Promise<{ outcome: RunOutcome; session: SessionFiles }> => {
      const outcome = await runPipeline({
        definition: pipeline,
        inputs: { t1: { path: phantom.t1Path }, pet: { path: phantom.petPath } },
        resources: { atlas: { path: atlas.dir, sha256: atlas.sha256 } },
        store: folderTaskStore(join(dir, `${backend}-store`)),
        workDir: join(dir, backend),
        device: { backend },
      });
      expect(outcome.error).toBeUndefined();
      expect(outcome.device.backend).toBe(backend);
      const { name, version } = atlas.manifest;
      const subject = {
        patientId: 'PHANTOM-001',
        sessionDate: '2024-09-16',
        atlas: { name, version, sha256: atlas.sha256 },
        engineVersion: '0.1.0',
      };
      return { outcome, session: await writeSession(outcome, subject, join(dir, `${backend}-out`)) };
    };
    const [wasm, webgpu] = [await run('wasm'), await run('webgpu')];
    expect(webgpu.session.quality.verdict).toBe(wasm.session.quality.verdict);
    const apart = (of: 'mri_roi_features' | 'pet_roi_features'): number => {
      const [a, b] = [wasm.session.features?.[of] ?? [], webgpu.session.features?.[of] ?? []];
      expect(b).toHaveLength(93);
      const largest = Math.max(...a);
      return Math.max(...a.map((value, k) => Math.abs(value - b[k]) / largest));
    };
    const [mri, pet] = [apart('mri_roi_features'), apart('pet_roi_features')];
    console.info(
      `largest difference, share of the largest feature: MRI ${mri.toExponential(1)}, PET ${pet.toExponential(1)}`,
    );
    // Both in single precision, summed in another order: a voxel on the border between two regions may change sides.
    expect(mri).toBeLessThan(0.01);
    expect(pet).toBeLessThan(0.01);
  },
);
