/** What processes take of their machine, from /proc. */
import { readdirSync, readFileSync } from 'node:fs';

export interface Usage {
  /** Of user and system together, children that have ended included. */
  readonly cpuSeconds: number;
  readonly residentMb: number;
}

/** Of Linux; USER_HZ is 100 on every platform that Node runs on. */
const TICKS_PER_SECOND = 100;
const PAGE_BYTES = 4096;

/**
 * Of a process group together: a command may hand over to another process of its own.
 * @returns undefined when there is none, or no /proc.
 */
export function usageOf(leader: number): Usage | undefined {
  const members = processes()
    .flatMap((pid) => statOf(pid) ?? [])
    .filter(({ group }) => group === leader);
  if (members.length === 0) return undefined;
  return {
    cpuSeconds: members.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
    residentMb: members.reduce((sum, { residentMb }) => sum + residentMb, 0),
  };
}

function processes(): number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isInteger);
  } catch {
    return [];
  }
}

/** Fields 5, 14 to 17 and 24 of proc(5); the name in field 2 may hold anything, so they are counted from field 3. */
function statOf(pid: number): (Usage & { readonly group: number }) | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    const [user = 0, system = 0, endedUser = 0, endedSystem = 0] = fields.slice(11, 15);
    return {
      group: fields[2] ?? 0,
      cpuSeconds: (user + system + endedUser + endedSystem) / TICKS_PER_SECOND,
      residentMb: ((fields[21] ?? 0) * PAGE_BYTES) / 1e6,
    };
  } catch {
    return undefined;
  }
}
