/** How long each stage of a scan's way took, from the times that its events carry. Pure. */
import { type EngramEvent, events } from '@engram/contracts';

interface Way {
  received?: number;
  requested?: number;
  claimed?: number;
  completed?: number;
  stored?: number;
  forecast?: number;
}

export interface StageTimes {
  readonly stage: string;
  readonly seconds: readonly number[];
}

/**
 * @param all of them, in any order, repeats included.
 * @param writtenAt when a patient's report was written, by patient key: epoch ms.
 */
export function stagesOf(all: readonly EngramEvent[], writtenAt: ReadonlyMap<string, number>): readonly StageTimes[] {
  const ways = new Map<string, Way>();
  for (const event of all) {
    const step = stepOf(event);
    if (step === undefined) continue;
    const way = ways.get(event.partitionkey) ?? {};
    const at = Date.parse(event.time);
    way[step] = Math.min(way[step] ?? at, at);
    ways.set(event.partitionkey, way);
  }
  const between = (from: keyof Way, to: keyof Way): number[] =>
    [...ways.values()].flatMap((way) => difference(way[from], way[to]));
  const written = (from: keyof Way): number[] =>
    [...ways].flatMap(([key, way]) => difference(way[from], writtenAt.get(key)));
  return [
    { stage: 'received to requested', seconds: between('received', 'requested') },
    { stage: 'waiting for a worker', seconds: between('requested', 'claimed') },
    { stage: 'worked on', seconds: between('claimed', 'completed') },
    { stage: 'features stored', seconds: between('completed', 'stored') },
    { stage: 'forecast made', seconds: between('stored', 'forecast') },
    { stage: 'written back', seconds: written('forecast') },
    { stage: 'in all', seconds: written('received') },
  ];
}

const difference = (from: number | undefined, to: number | undefined): number[] =>
  from === undefined || to === undefined ? [] : [(to - from) / 1000];

function stepOf({ type, data }: EngramEvent): keyof Way | undefined {
  switch (type) {
    case events.studyReceived.type:
      return 'received';
    case events.runRequested.type:
      return 'requested';
    case events.runProgressed.type:
      return (data as { run_status: string }).run_status === 'validating' ? 'claimed' : undefined;
    case events.runCompleted.type:
      return 'completed';
    case events.featuresStored.type:
      return 'stored';
    case events.forecastMade.type:
      return (data as { feature_sets: readonly unknown[] }).feature_sets.length > 0 ? 'forecast' : undefined;
    default:
      return undefined;
  }
}

/** @param share between 0 and 1. @returns NaN of nothing. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}
