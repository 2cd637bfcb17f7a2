/** `BENCHMARKS.md`: sections by name, each replaced as a whole by the run that measured it; the others stay. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

export interface Section {
  /** Stable name: the marker that a later run replaces. */
  readonly name: string;
  readonly title: string;
  /** The command that gives these figures. */
  readonly command: string;
  /** Machine, date, versions, device. */
  readonly conditions: readonly string[];
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly notes: readonly string[];
}

export function sectionText(section: Section): string {
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [
    `<!-- section ${section.name} -->`,
    `## ${section.title}`,
    '',
    `\`${section.command}\` · ${section.conditions.join(' · ')}`,
    '',
    row(section.head),
    row(section.head.map(() => '---')),
    ...section.rows.map(row),
    '',
    ...section.notes.map((note) => `- ${note}`),
    '<!-- end -->',
  ].join('\n');
}

export function replaceSection(document: string, section: Section): string {
  const text = sectionText(section);
  const start = document.indexOf(`<!-- section ${section.name} -->`);
  if (start < 0) return `${document.trimEnd()}\n\n${text}\n`;
  const end = document.indexOf('<!-- end -->', start) + '<!-- end -->'.length;
  return document.slice(0, start) + text + document.slice(end);
}

export function writeSection(file: string, section: Section): void {
  const before = existsSync(file) ? readFileSync(file, 'utf8') : '# Benchmarks\n';
  writeFileSync(file, replaceSection(before, section));
}
