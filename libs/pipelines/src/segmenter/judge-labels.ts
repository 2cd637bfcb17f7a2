/**
 * What can be said of labels that no registration brought: whether they cover the grey matter, lie on their own side and
 * match each other's size. docs/algorithms/segmenter.md tells where the bands come from.
 */
import { AAL_93, regionOfLabel } from '@engram/contracts';
import { judge, type QualityMetric, type RegistrationQuality, worst } from '@engram/imaging';
import { type Affine, type LabelVolume, multiplyAffines, type Volume } from '@engram/volume';

export interface LabelsToJudge {
  readonly labels: LabelVolume;
  /** Share of grey matter on the same grid. */
  readonly gm: Volume;
  /** RAS mm of the T1 → RAS mm of the template, whose x is 0 between the halves of the brain. */
  readonly toTemplate: Affine;
}

export function judgeLabels(subject: LabelsToJudge): RegistrationQuality {
  const { labels, gm } = subject;
  const grey = new Float64Array(AAL_93.regions.length);
  let [labelled, all] = [0, 0];
  for (let at = 0; at < gm.data.length; at++) {
    all += gm.data[at];
    if (labels.data[at] === 0) continue;
    labelled += gm.data[at];
    grey[regionOfLabel[labels.data[at]]] += gm.data[at];
  }
  const metrics: readonly QualityMetric[] = [
    judge((100 * labelled) / all, {
      name: 'segmentation_grey_labelled_percent',
      unit: '%',
      formula: 'share of the grey matter that carries the label of a region',
      pass: [80, 100],
      review: [50, 100],
    }),
    judge(ownSidePercent(subject), {
      name: 'segmentation_own_side_percent',
      unit: '%',
      formula: "share of the left and right regions' voxels on their own side of the template's midplane",
      pass: [95, 100],
      review: [80, 100],
    }),
    judge(asymmetryPercent(grey), {
      name: 'segmentation_asymmetry_percent',
      unit: '%',
      formula: 'median over the pairs of regions of 100 |left - right| / mean of both, of their grey matter',
      pass: [0, 25],
      review: [0, 60],
    }),
  ];
  const verdict = worst(metrics.map((metric) => metric.verdict));
  // Never good: nothing here compares the labels with the anatomy itself, as a registration's correlation does.
  return { grade: verdict === 'pass' ? 'acceptable' : verdict === 'review' ? 'poor' : 'failed', metrics };
}

function ownSidePercent({ labels, toTemplate }: LabelsToJudge): number {
  const [nx, ny, nz] = labels.shape;
  const [a, b, c, d] = multiplyAffines(toTemplate, labels.affine);
  let [own, lateral] = [0, 0];
  for (let k = 0, at = 0; k < nz; k++)
    for (let j = 0; j < ny; j++)
      for (let i = 0; i < nx; i++, at++) {
        if (labels.data[at] === 0) continue;
        const { side } = AAL_93.regions[regionOfLabel[labels.data[at]]];
        if (side === 'midline') continue;
        lateral++;
        if (a * i + b * j + c * k + d < 0 === (side === 'left')) own++;
      }
  return (100 * own) / lateral;
}

/** AAL lists a left region right before its twin. */
function asymmetryPercent(grey: Float64Array): number {
  const differences = AAL_93.regions
    .filter(({ side }) => side === 'left')
    .map(({ index }) => {
      const [left, right] = [grey[index], grey[index + 1]];
      return left + right > 0 ? (200 * Math.abs(left - right)) / (left + right) : 200;
    })
    .sort((p, q) => p - q);
  return differences[Math.floor(differences.length / 2)];
}
