/** MODEL_CARD.md from a manifest: the figures of a card are never typed by hand. Headings after CHAI's Applied Model Card. */
import { RESEARCH_USE_ONLY, SCORES, SIMULATED_WEIGHTS } from '@engram/contracts';
import { INPUT_NAMES } from './inputs/input-vector.ts';
import type { ModelManifest } from './manifest.ts';

const TITLES = {
  mmse: 'MMSE',
  cdr_global: 'CDR global',
  cdr_sob: 'CDR sum of boxes',
  adas_cog: 'ADAS-Cog 13',
} as const;
const percent = (value: number): string => `${Math.round(value * 100)} %`;

function figures(manifest: ModelManifest): string {
  return SCORES.map((score) => {
    const rows = manifest.metrics.horizons
      .filter((each) => each.score === score)
      .map((each) => {
        const [half = 0, most = 0, nearly = 0] = each.coverage;
        return `| ${each.months} | ${each.n} | ${each.mae} | ${each.mae_locf} | ${each.mae_stage_slope} | ${each.rmse} | ${each.bias} | ${percent(half)} / ${percent(most)} / ${percent(nearly)} | ${each.width_80} |`;
      });
    return `### ${TITLES[score]}

| months | n | MAE | MAE of LOCF | MAE of last value + stage slope | RMSE | bias | coverage at 50 / 80 / 90 % | mean width at 80 % |
|---|---|---|---|---|---|---|---|---|
${rows.join('\n')}`;
  }).join('\n\n');
}

export function modelCard(manifest: ModelManifest): string {
  const simulated = manifest.calibration_source === 'simulated';
  const data = simulated
    ? `A cohort of ${manifest.training.people} people simulated from published summary statistics (\`models/src/simulate/\`, with its sources). No patient's data were used, at any step.`
    : `The table \`${manifest.training.source}\`: ${manifest.training.people} people to fit, ${manifest.training.calibration_people} to calibrate, ${manifest.metrics.people} held out.`;
  const event = manifest.metrics.event
    .map((each) => `| ${each.months} | ${each.brier} | ${each.brier_prevalence} |`)
    .join('\n');
  const stressed = manifest.stress
    .map((each) => `| ${each.name} | ${each.n} | ${each.mae.map((mae) => mae ?? '–').join(' | ')} |`)
    .join('\n');
  return `# ${manifest.model_version}

**${RESEARCH_USE_ONLY}**
${simulated ? `\n**${SIMULATED_WEIGHTS}**\n` : ''}
## Summary

Predicts MMSE, CDR global, CDR sum of boxes and ADAS-Cog 13 at 6, 12, … 60 months after the latest measured input, as seven
quantiles each, and the probability that CDR global has reached 1 by each horizon. ${INPUT_NAMES.length} inputs: last value, time since, mean,
count and slope of each score with a mask bit; volumes of 12 region groups relative to head size; FDG and amyloid PET groups;
age, sex, education, APOE ε4. The three cerebellar PET features, 1 by construction, take no part. What is missing is masked.

A linear part (ridge regression of the future score on the inputs) plus a network of two layers of 48 units for what is not
linear and for the spread; intervals by conformalised quantile regression within clinical stages on people not used for fitting.
Equations: docs/algorithms/forecast.md. File: \`${manifest.file}\`, ${manifest.bytes} bytes, sha256 \`${manifest.sha256}\`, ONNX opset ${manifest.opset}.

## Uses

Research on forecasting and on the software around it. Users: researchers and engineers. Not for decisions about any person.
Out of scope: other diseases than Alzheimer's, people under 55, scores of other versions (ADAS-Cog 11), volumes of other software.

## Data

${data}

## Figures on ${manifest.metrics.people} held-out ${simulated ? 'simulated ' : ''}people

${simulated ? 'They say how well the model fits the simulation, **not how well it forecasts patients**. The simulation has no dropout after the\nindex date, so late horizons hold more advanced disease, and larger errors of LOCF, than cohorts do.\n' : ''}LOCF: the last value carried forward. Made by \`node models/src/train.ts\`, together with the model.

${figures(manifest)}

### CDR global of 1 or more reached (people not there yet)

| months | Brier score | Brier score of the prevalence |
|---|---|---|
${event}

### When less is known, and in subgroups: MAE 24 months ahead

| who and what | n | MMSE | CDR global | CDR-SB | ADAS-Cog 13 |
|---|---|---|---|---|---|
${stressed}

Errors are larger where decline is faster.

## Known limits

- ${simulated ? 'Everything it knows about imaging was put in by hand from published effect sizes; on patients imaging may help less or not at all.' : 'It knows only people like those of the table.'}
- Volumes depend on atlas and segmentation. ${simulated ? 'The simulation varies each pipeline’s offset so that the model leans on them lightly.' : ''}
- Intervals are calibrated on ${simulated ? 'the simulation only; they carry no guarantee for patients' : 'the table only; they hold for people exchangeable with its'}. Recalibrate locally before relying on any coverage.
- Three to five years after a diagnosis of dementia real cohorts hold hardly any data: read those intervals as a guess.
- Treatment, comorbidity and other dementias are unknown to it. Fairness across sex, age, education and ancestry has not been
  validated on patients${simulated ? '; ancestry is not simulated at all' : ''}.
- Other external validation, local validation, monitoring and update schedule: none.

## Train again

\`node models/src/train.ts\` makes this folder from nothing, byte for byte, on the pinned Node. A site's own table of visits
(\`RID, EXAMDATE, AGE, PTGENDER, PTEDUCAT, APOE4, MMSE, CDRSB, CDGLOBAL, ADAS13\`):
\`node models/src/train.ts --table visits.csv --out my-model\`.
`;
}
