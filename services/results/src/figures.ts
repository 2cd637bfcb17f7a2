/** The seed's five dashboard figures, from the projections. */

import type { RunRecord } from './model.ts';
import type { StoredSize } from './storage.ts';
import { type ResultsStore, writtenResources } from './store.ts';

export interface Figures {
  readonly queue_length: number;
  readonly processing_time_s: { readonly mean: number | null; readonly p95: number | null };
  readonly success_rate: number | null;
  readonly storage: StoredSize;
  readonly quality: Readonly<Record<'pass' | 'review' | 'fail', number>>;
  readonly runs: Readonly<Record<RunRecord['status'], number>>;
  readonly written_resources: number;
}

/** How many of the latest ended runs the times, the rate and the quality are drawn from. */
const WINDOW = 500;

export async function figuresOf(store: ResultsStore, storage: StoredSize): Promise<Figures> {
  const statuses = ['created', 'validating', 'executing', 'completed', 'failed', 'cancelled'] as const;
  const counts = await Promise.all(statuses.map((status) => store.runs.count({ status })));
  const runs = Object.fromEntries(statuses.map((status, at) => [status, counts[at] ?? 0])) as Figures['runs'];
  const page = await store.runs.find({
    where: { status: { in: ['completed', 'failed'] } },
    orderBy: [['updated_at', 'desc']],
    limit: WINDOW,
  });
  const latest = page.records.map((record) => record.value);
  const done = latest.filter((run) => run.status === 'completed');
  const seconds = done.flatMap((run) => (run.seconds === null ? [] : [run.seconds])).sort((a, b) => a - b);
  const verdicts = (verdict: 'pass' | 'review' | 'fail') => done.filter((run) => run.qc_verdict === verdict).length;
  return {
    queue_length: runs.created + runs.validating,
    processing_time_s: {
      mean: seconds.length === 0 ? null : seconds.reduce((sum, value) => sum + value, 0) / seconds.length,
      p95: seconds[Math.max(0, Math.ceil(seconds.length * 0.95) - 1)] ?? null,
    },
    success_rate: latest.length === 0 ? null : done.length / latest.length,
    storage,
    quality: { pass: verdicts('pass'), review: verdicts('review'), fail: verdicts('fail') },
    runs,
    written_resources: await writtenResources(store),
  };
}
