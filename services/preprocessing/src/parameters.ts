/** The parameters of a run: the site's configuration, with what the request says on top. Pure. */
import type { PipelineConfig, PipelineName } from '@engram/contracts';

type Parameters = Readonly<Record<string, unknown>>;

/** Which sections of `engram.config.yaml` each pipeline reads. */
const SECTIONS: Readonly<Record<PipelineName, readonly (keyof PipelineConfig)[]>> = {
  adni: ['n4', 'registration', 'suvr'],
  wmh: ['segmentation', 'parcellation', 'wmh_detection'],
  cmb: ['segmentation', 'parcellation', 'cmb_detection'],
  dwi: ['segmentation', 'parcellation', 'dwi_analysis'],
  synthseg: ['segmentation', 'parcellation'],
};

const isPlain = (value: unknown): value is Parameters =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** `over` wins, section by section and field by field; lists are replaced whole. */
export function merged(under: Parameters, over: Parameters): Parameters {
  const out: Record<string, unknown> = { ...under };
  for (const [name, value] of Object.entries(over)) {
    const below = under[name];
    out[name] = isPlain(below) && isPlain(value) ? merged(below, value) : value;
  }
  return out;
}

export function parametersOf(pipeline: PipelineName, config: PipelineConfig, requested: Parameters): Parameters {
  return merged(Object.fromEntries(SECTIONS[pipeline].map((name) => [name, config[name]])), requested);
}
