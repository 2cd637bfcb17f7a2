/** The simulation's records keep every promise that the real adapters are held to. */
import { recordsConformance } from '@engram/records/conformance';
import { openMemoryRecords, RecordsState } from './records.ts';

recordsConformance('in memory', async () => {
  let ahead = 0;
  const state = new RecordsState(() => Date.now() + ahead);
  const open = () => openMemoryRecords(state, async (_what, work) => work());
  return {
    records: open(),
    another: async () => open(),
    advance(ms) {
      ahead += ms;
    },
    async close() {},
  };
});
