/** What lies in S3 after one study: the objects of the embedded run and no other, byte for byte. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { ARTIFACTS, rawPrefix, sessionPrefix } from '@engram/contracts';
import { sanitisePreamble } from '@engram/dicom';
import { openObjects } from '@engram/objects';
import type { Outcome } from '../follow.ts';
import { type Inventory, s3Inventory } from '../inventory.ts';
import type { Report } from '../report.ts';
import type { RealStudy } from '../study.ts';
import { TIMED, timelessKey } from '../timeless-key.ts';

export interface ObjectFacts {
  /** `s3://…`. */
  readonly s3: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly outcome: Outcome;
  readonly study: RealStudy;
  readonly embedded: Inventory;
}

export async function checkObjects(report: Report, facts: ObjectFacts): Promise<void> {
  const area = 'S3';
  const { s3, environment, outcome, study, embedded } = facts;
  let stored: Inventory = new Map();
  await report.check(area, 'the bucket holds the keys of the embedded run and no other', async () => {
    stored = await s3Inventory(s3, environment);
    assert.deepEqual([...stored.keys()].map(timelessKey).sort(), [...embedded.keys()].map(timelessKey).sort());
    const bytes = [...stored.values()].reduce((sum, one) => sum + one.bytes, 0);
    return `${stored.size} objects, ${(bytes / 1e6).toFixed(0)} MB`;
  });
  await report.check(area, 'every object has the bytes of the embedded run, but for documents that hold a time', () => {
    const differing = [...stored].filter(([key, { sha256 }]) => embedded.get(key)?.sha256 !== sha256);
    assert.deepEqual(
      differing.map(([key]) => key).filter((key) => !TIMED.test(key)),
      [],
    );
    return `${stored.size - differing.length} the same`;
  });
  await report.check(area, 'the platform knows every object by the sha256 of its bytes', async () => {
    const objects = await openObjects(s3);
    try {
      for (const [key, { sha256, bytes }] of stored) {
        const { sha256: known, bytes: size } = (await objects.head(key)) ?? {};
        assert.deepEqual([known, size], [sha256, bytes], key);
      }
    } finally {
      await objects.close();
    }
    return undefined;
  });
  await report.check(area, "the session's view holds what its features name, and the features", () => {
    const session = sessionPrefix(outcome.patientKey, outcome.run.session_date ?? '');
    for (const { name, sha256 } of outcome.features.artifacts) {
      assert.equal(stored.get(`${session}${name}`)?.sha256, sha256, name);
    }
    assert.ok(stored.has(`${session}${ARTIFACTS.roiFeatures}`));
    return outcome.features.artifacts.map(({ name }) => name).join(', ');
  });
  await report.check(area, 'every DICOM instance of the study is kept, with the bytes of the scanner', async () => {
    const prefix = rawPrefix(outcome.patientKey, study.uid);
    const raw = [...stored].filter(([key]) => key.startsWith(prefix) && key.endsWith('.dcm'));
    assert.deepEqual(raw.map(([, { sha256 }]) => sha256).sort(), (await hashesOf(study)).sort());
    return `${raw.length} instances`;
  });
}

async function hashesOf(study: RealStudy): Promise<string[]> {
  const hashes: string[] = [];
  for (const file of study.series.flatMap(({ files }) => files)) {
    hashes.push(
      createHash('sha256')
        .update(sanitisePreamble(await readFile(file)))
        .digest('hex'),
    );
  }
  return hashes;
}
