/** Brings the atlas onto the T1, and judges the result without labels; where a segmenter is given, its labels instead. */

import {
  boxAround,
  cropMask,
  cropVolume,
  jacobianDeterminant,
  type RegistrationQuality,
  registerDeformable,
  registerRigid,
  registrationQuality,
  resample,
  resampleLabels,
  resampleMask,
  type Transform,
  uncropInto,
} from '@engram/imaging';
import type { Device } from '@engram/kernels';
import { determinant, type Grid, gridAtSpacing, gridOf, type MaskVolume, type Volume, voxelSize } from '@engram/volume';
import { defineTask } from '../task.ts';
import type { AtlasSummary } from './atlas-summary.ts';
import { readBrainSummary } from './brain.ts';
import { readImage, readImageAndHeader, readMaskOf, writeImage, writeJson } from './files.ts';
import { networkAtlas } from './network-atlas.ts';
import type { AdniParameters } from './parameters.ts';
import { atlasOf, type PreparedAtlas } from './template.ts';

/** Everything that an attempt is judged by, on the grid of the registration. */
interface Subject {
  readonly t1: Volume;
  readonly brain: MaskVolume;
  readonly stripped: Volume;
  readonly gm: Volume;
}

interface Template {
  readonly atlas: PreparedAtlas;
  /** Without the fluid around it, as the T1's brain is. */
  readonly stripped: Volume;
  readonly brain: MaskVolume;
}

interface Attempt {
  readonly method: AtlasSummary['method'];
  readonly transform: Transform;
  readonly metric: string;
  readonly iterations: number;
  readonly convergence: number;
  readonly quality: RegistrationQuality;
}

/** Around the brain, mm: the registration's own margin and what a label may reach beyond the mask. */
const MARGIN_MM = 16;
/** Of each level, coarsest first. */
const ITERATIONS = [50, 30, 10];

export const atlas = defineTask<AdniParameters>({
  name: 'atlas',
  version: 7,
  needs: ['n4', 'brain', 'tissue'],
  reads: ['atlas', 'segmenter'],
  when: (roles) => roles.has('atlas'),
  weight: 40,
  outputs: ['atlas_in_t1.nii.gz', 'atlas.json'],
  parameterKeys: ['registration'],
  run: async (context) => {
    if (context.has('segmenter')) return networkAtlas(context);
    const { volume: whole, header } = await readImageAndHeader(context, 'n4/n4.nii.gz');
    const mask = await readMaskOf(context, 'brain/brain_mask.nii.gz');
    // Air, face and neck take most of a head's voxels and hold no label.
    const box = boxAround(mask, MARGIN_MM);
    const native = cropVolume(whole, box);
    const { transform: wanted, grid_mm } = context.parameters.registration;
    const { to_template: affine } = await readBrainSummary(context);
    const subject = await subjectOn(
      workingGrid(native, grid_mm),
      native,
      cropMask(mask, box),
      cropVolume(await readImage(context, 'tissue/gm.nii.gz'), box),
      context.device,
    );
    const template = templateOf(await atlasOf(context));

    const attempts: Attempt[] = [];
    for (const method of ['deformable', 'affine', 'rigid'] as const) {
      if (wanted === 'affine' && method === 'deformable') continue;
      if (wanted === 'rigid' && method !== 'rigid') continue;
      attempts.push(await attempt(method, subject, template, affine, context.device, (f) => context.progress(0.9 * f)));
      const { quality } = attempts[attempts.length - 1];
      if (quality.grade !== 'failed') break;
      const why = quality.metrics
        .filter(({ verdict }) => verdict === 'fail')
        .map(({ name, value }) => `${name} ${value}`);
      if (method !== 'rigid')
        context.warn(`The ${method} registration was judged bad (${why.join(', ')}): falling back`);
    }
    const { method, transform, metric, iterations, convergence, quality } = attempts[attempts.length - 1];
    const labels = await resampleLabels(template.atlas.labels, native, transform, context.device);
    const data = uncropInto(labels.data, box, whole.shape, new Uint16Array(whole.data.length));
    await writeImage(context, 'atlas_in_t1.nii.gz', { ...gridOf(whole), data }, { like: header });
    const summary: AtlasSummary = {
      method,
      metric,
      iterations,
      convergence,
      affine: [...affine],
      registration_quality: quality.grade,
      metrics: [...quality.metrics],
    };
    await writeJson(context, 'atlas.json', summary);
    context.note(
      `${method}, ${quality.grade}: ${quality.metrics.map(({ name, value }) => `${name} ${value}`).join(', ')}`,
    );
  },
});

/** The T1's own grid unless it is finer than the registration needs. */
function workingGrid(t1: Grid, finest: number): Grid {
  return Math.min(...voxelSize(t1.affine)) < 0.9 * finest ? gridAtSpacing(t1, finest) : gridOf(t1);
}

async function subjectOn(grid: Grid, native: Volume, mask: MaskVolume, gm: Volume, device: Device): Promise<Subject> {
  const t1 = await resample(native, grid, {}, device);
  const brain = await resampleMask(mask, grid, {}, device);
  return { t1, brain, stripped: masked(t1, brain), gm: await resample(gm, grid, {}, device) };
}

function templateOf(atlasImages: PreparedAtlas): Template {
  const { brain } = atlasImages.template;
  return { atlas: atlasImages, brain, stripped: masked(atlasImages.t1, brain) };
}

function masked(image: Volume, mask: MaskVolume): Volume {
  const data = new Float32Array(image.data.length);
  for (let at = 0; at < data.length; at++) if (mask.data[at] > 0) data[at] = Math.max(0, image.data[at]);
  return { ...image, data };
}

async function attempt(
  method: AtlasSummary['method'],
  subject: Subject,
  template: Template,
  affine: readonly number[],
  device: Device,
  onProgress: (fraction: number) => void,
): Promise<Attempt> {
  if (method === 'deformable') {
    const found = await registerDeformable(
      subject.stripped,
      template.stripped,
      { initial: affine, fixedMask: subject.brain, iterations: ITERATIONS, inverse: false, onProgress },
      device,
    );
    const transform: Transform = { field: found.forward };
    const total = (await jacobianDeterminant(found.forward, device)).data;
    const scale = Math.abs(determinant(affine));
    const jacobian = total.map((value) => value / scale);
    const [before, last] = found.metric.slice(-2);
    return {
      method,
      transform,
      metric: 'local correlation',
      iterations: found.report.iterations,
      convergence: Math.abs((last ?? 0) - (before ?? 0)),
      quality: await judgeAttempt(subject, template, transform, device, jacobian),
    };
  }
  const matrix =
    method === 'affine' ? affine : (await registerRigid(subject.t1, template.atlas.t1, { finest: 2 })).matrix;
  const transform: Transform = { matrix };
  const quality = await judgeAttempt(subject, template, transform, device);
  return { method, transform, metric: 'mutual information', iterations: 0, convergence: 0, quality };
}

async function judgeAttempt(
  subject: Subject,
  template: Template,
  transform: Transform,
  device: Device,
  jacobian?: Float32Array,
): Promise<RegistrationQuality> {
  const grid = gridOf(subject.t1);
  return registrationQuality({
    t1: subject.t1,
    brain: subject.brain,
    gm: subject.gm,
    template: await resample(template.stripped, grid, transform, device),
    templateBrain: (await resampleMask(template.brain, grid, transform, device)).data,
    templateGm: (await resample(masked(template.atlas.gm, template.brain), grid, transform, device)).data,
    ...(jacobian ? { jacobian } : {}),
  });
}
