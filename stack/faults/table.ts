/** How long it took, fault by fault. */
export interface Measured {
  readonly name: string;
  readonly scans: number;
  /** From the first resource posted until the last scan was done. */
  readonly seconds: number;
  /** From the end of the fault until the last scan was done; undefined where nothing was broken. */
  readonly recovery: number | undefined;
}

const columns = (cells: readonly string[]): string =>
  cells.map((cell, at) => (at === 0 ? cell.padEnd(44) : cell.padStart(14))).join('');

export function tableOf(measured: readonly Measured[]): string {
  const rows = measured.map(({ name, scans, seconds, recovery }) =>
    columns([name, String(scans), seconds.toFixed(1), recovery?.toFixed(1) ?? '-']),
  );
  return [columns(['fault', 'scans', 'in all, s', 'recovery, s']), ...rows].join('\n');
}
