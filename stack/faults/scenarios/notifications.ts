/** What a FHIR server may do with its notifications: repeat them, send them late, in any order, or of what is not there. */
import { events } from '@engram/contracts';
import { urlOf } from '../../e2e/settings.ts';
import { type Scan, studyOf } from '../../load/hospital.ts';
import { type Context, nextOf, trial } from '../context.ts';

const REPEATS = 50;

export async function repeatedNotifications(context: Context): Promise<void> {
  await trial(context, {
    name: `each notification ${REPEATS} times`,
    async fault(scans) {
      // Some of them come before the study itself, some while it is worked on, and in another order each time.
      const turns = Array.from({ length: REPEATS }, (_, turn) => (turn % 2 === 0 ? scans : scans.toReversed()));
      for (const turn of turns) await Promise.all(turn.map((scan) => notify(context, scan)));
      await nextOf(context, scans, events.forecastMade.type).catch(() => undefined);
      await Promise.all(scans.map((scan) => notify(context, scan)));
    },
  });
}

export async function notify({ ports, imageUrl }: Context, scan: Scan): Promise<void> {
  const response = await fetch(`${urlOf(ports, 'ingestion')}/api/v1/notifications`, {
    method: 'POST',
    headers: { 'content-type': 'application/fhir+json' },
    body: JSON.stringify(studyOf(scan, imageUrl(scan))),
  });
  if (response.status !== 200) throw new Error(`a notification was answered ${response.status}`);
}
