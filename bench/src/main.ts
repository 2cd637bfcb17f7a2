/** `npm run bench -- [section …]`: measures and writes BENCHMARKS.md; all sections without a name. One file a section in `sections/`. */
import { hasSharedData } from '@engram/testing';
import { bias } from './sections/bias.ts';
import { brain } from './sections/brain.ts';
import { growth } from './sections/growth.ts';
import { hardHeads } from './sections/hard-heads.ts';
import { heads } from './sections/heads.ts';
import { knownField } from './sections/known-field.ts';
import { labelMaps } from './sections/label-maps.ts';
import { pet } from './sections/pet.ts';
import { quality } from './sections/quality.ts';
import { registration } from './sections/registration.ts';
import type { Say } from './sections/section.ts';
import { stageOne } from './sections/stage-one.ts';

const say: Say = (text) => process.stderr.write(`${text}\n`);

/** In the order of a run of all. */
const sections: Record<string, (say: Say) => Promise<void>> = {
  'label-maps': labelMaps,
  registration,
  bias,
  brain,
  pet,
  'stage-one': stageOne,
  growth,
  quality,
  'known-field': knownField,
  'hard-heads': hardHeads,
  heads,
};

if (!hasSharedData) {
  say('bench: the public data set beside the repository is not here; nothing was measured');
  process.exitCode = 1;
} else {
  const wanted = process.argv.slice(2);
  for (const name of wanted.length === 0 ? Object.keys(sections) : wanted) {
    const section = sections[name];
    if (section === undefined) {
      say(`bench: no section ${name}; there are ${Object.keys(sections).join(', ')}`);
      process.exitCode = 1;
      continue;
    }
    say(`— ${name}`);
    await section(say);
  }
}
