/**
 * Regional volumes against a known deformation: the template's head is deformed by `mktruth.py` (an affine and a
 * diffeomorphism, with bias and noise), the pipeline sees only the deformed head, and the truth of a region is the sum of
 * the Jacobian over it, since a map φ takes volume dV to |det Dφ| dV.
 */
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AAL_93, regionOfLabel } from '@engram/contracts';
import { readField, readNifti } from '@engram/formats';
import { ensureAtlas, loadAtlas } from '@engram/pipelines';
import { sharedData } from '@engram/testing';
import { type DisplacementField, invertAffine, type LabelVolume, voxelVolume } from '@engram/volume';
import { median, percentError, quantile } from '../scores.ts';
import { withPipeline } from './pipeline-on.ts';

export interface FieldScores {
  readonly seed: number;
  readonly medianLabelErrorPercent: number;
  readonly p90LabelErrorPercent: number;
  readonly medianGreyErrorPercent: number;
  readonly verdict: string;
}

export async function scoreKnownField(seed: number): Promise<FieldScores> {
  const folder = await mkdtemp(join(tmpdir(), 'engram-field-'));
  try {
    const atlasFolder = await ensureAtlas();
    const atlas = await loadAtlas(atlasFolder);
    const tool = sharedData('..', 'tools', 'registration', 'mktruth.py');
    execFileSync('python3', [tool, join(atlasFolder.dir, atlasFolder.manifest.t1.file), folder, String(seed)], {
      stdio: 'ignore',
    });
    const { field } = await readField(join(folder, 'truth_field.nii.gz'));
    const { volume: fixed } = await readNifti(join(folder, 'fixed.nii.gz'));
    const jacobian = determinants(field);
    const truthLabels = new Float64Array(93);
    const truthGrey = new Float64Array(93);
    const voxel = voxelVolume(fixed.affine);
    const labels = atlas.labels;
    sameOrder(labels, field);
    labels.data.forEach((label, at) => {
      const region = regionOfLabel[label];
      if (region < 0) return;
      truthLabels[region] += jacobian[at] * voxel;
      truthGrey[region] += atlas.gm.data[at] * jacobian[at] * voxel;
    });
    return await withPipeline(
      { t1: join(folder, 'moving.nii.gz') },
      async ({ outcome, labels: readLabelsOf, json }) => {
        if (outcome.error) throw outcome.error;
        const found = await readLabelsOf('atlas/atlas_in_t1.nii.gz');
        const measured = new Float64Array(93);
        const foundVoxel = voxelVolume(found.affine);
        found.data.forEach((label) => {
          const region = regionOfLabel[label];
          if (region >= 0) measured[region] += foundVoxel;
        });
        const features = await json('features/features.json');
        const grey = features['mri'] as readonly number[];
        const quality = (await json('quality/quality_metrics.json')) as { verdict?: string };
        const errors = AAL_93.regions.map((_, region) => percentError(measured[region], truthLabels[region]));
        return {
          seed,
          medianLabelErrorPercent: median(errors),
          p90LabelErrorPercent: quantile(errors, 0.9),
          medianGreyErrorPercent: median(
            AAL_93.regions.map((_, region) => percentError(grey[region], truthGrey[region])),
          ),
          verdict: quality.verdict ?? '–',
        };
      },
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** mktruth.py works on the closest canonical orientation; the default atlas is stored in it already. */
function sameOrder(labels: LabelVolume, field: DisplacementField): void {
  if (labels.shape.some((n, axis) => n !== field.shape[axis])) throw new Error('the atlas is not stored in RAS order');
}

/** det D(x + u(x)) at each voxel, central differences in mm. */
function determinants({ shape, affine, x, y, z }: DisplacementField): Float32Array {
  const [nx, ny, nz] = shape;
  const inverse = invertAffine(affine);
  const out = new Float32Array(nx * ny * nz);
  const strides = [1, nx, nx * ny] as const;
  const components = [x, y, z] as const;
  let at = 0;
  for (let k = 0; k < nz; k++)
    for (let j = 0; j < ny; j++)
      for (let i = 0; i < nx; i++, at++) {
        const place = [i, j, k] as const;
        // d u_c / d voxel axis, then to mm by the inverse of the affine's linear part.
        const dv = components.map((component) =>
          strides.map((stride, axis) => {
            const low = place[axis] > 0 ? -stride : 0;
            const high = place[axis] < shape[axis] - 1 ? stride : 0;
            return (component[at + high] - component[at + low]) / ((high - low) / stride);
          }),
        );
        const m = dv.map((row, c) =>
          [0, 1, 2].map((b) => row.reduce((sum, value, a) => sum + value * inverse[4 * a + b], 0) + (c === b ? 1 : 0)),
        );
        out[at] =
          m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1]) -
          m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0]) +
          m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0]);
      }
  return out;
}
