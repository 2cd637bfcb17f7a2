/** The demo's scans on disk: the synthetic patient's three sessions, with the truth they were made from. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeNifti } from '@engram/formats';
import type { Atlas } from '@engram/pipelines';
import { DEMO_SESSIONS, phantomSession, type SessionPlan, type SessionTruth } from '@engram/testing';

export interface DemoSession {
  readonly sessionDate: string;
  /** A NIfTI file or a DICOM folder. */
  readonly t1: string;
  readonly pet: string | null;
  /** The cognitive scores given to the synthetic patient at that visit; none for a real scan. */
  readonly scores: DemoScores | null;
  /** What the phantom was made from; none for a real scan. */
  readonly truth: SessionTruth | null;
}

export interface DemoScores {
  readonly mmse: number;
  readonly cdrGlobal: number;
  readonly cdrSob: number;
  readonly adasCog13: number;
}

/** Made up to go with the phantom's severities 0.1, 0.5 and 0.95: from mild impairment to mild dementia. */
const SCORES: readonly DemoScores[] = [
  { mmse: 27, cdrGlobal: 0.5, cdrSob: 1.5, adasCog13: 17 },
  { mmse: 25, cdrGlobal: 0.5, cdrSob: 3, adasCog13: 23 },
  { mmse: 21, cdrGlobal: 1, cdrSob: 5.5, adasCog13: 31 },
];

export interface DemoPlan extends SessionPlan {
  readonly scores: DemoScores | null;
}

const DAY_MS = 86_400_000;

/** The phantom's sessions two years apart, the last two months before `today`: an older one could carry no forecast. */
export function demoPlans(today: Date): readonly DemoPlan[] {
  return DEMO_SESSIONS.map((plan, at) => {
    const daysAgo = 60 + 731 * (DEMO_SESSIONS.length - 1 - at);
    const sessionDate = new Date(today.getTime() - daysAgo * DAY_MS).toISOString().slice(0, 10);
    return { ...plan, sessionDate, scores: SCORES[at] ?? null };
  });
}

/** What our own code made says so in its header. */
const DESCRIPTION = 'SYNTHETIC phantom PHANTOM-001, warped from Colin27; no person';

/** Writes one session's T1 and 4D PET, the PET with a BIDS sidecar that holds tracer and frame times. */
export async function writePhantomSession(atlas: Atlas, plan: DemoPlan, folder: string): Promise<DemoSession> {
  const at = join(folder, plan.sessionDate);
  await mkdir(at, { recursive: true });
  const session = phantomSession(atlas, plan);
  const t1 = join(at, 't1.nii.gz');
  const pet = join(at, 'pet.nii.gz');
  await writeFile(t1, writeNifti(session.t1, { description: DESCRIPTION }));
  await writeFile(
    pet,
    writeNifti(session.pet, { description: DESCRIPTION, frameSeconds: session.frameSeconds[0] ?? 0 }),
  );
  const sidecar = {
    Modality: 'PT',
    TracerName: session.tracer.toUpperCase(),
    FrameTimesStart: session.frameStarts,
    FrameDuration: session.frameSeconds,
    Units: 'Bq/mL',
  };
  await writeFile(join(at, 'pet.json'), `${JSON.stringify(sidecar, null, 2)}\n`);
  return { sessionDate: plan.sessionDate, t1, pet, scores: plan.scores, truth: session.truth };
}
