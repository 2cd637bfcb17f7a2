/** What was checked, what came out, and how long it took. */

interface Line {
  readonly area: string;
  readonly what: string;
  /** Undefined when it holds. */
  readonly failure?: string;
  readonly detail?: string;
  readonly seconds: number;
}

export class Report {
  readonly #lines: Line[] = [];

  /** Runs a check; what it returns is shown beside it, what it throws is its failure. */
  async check(
    area: string,
    what: string,
    check: () => Promise<string | undefined> | string | undefined,
  ): Promise<void> {
    const start = performance.now();
    const seconds = (): number => (performance.now() - start) / 1000;
    try {
      const detail = await check();
      this.#lines.push({ area, what, seconds: seconds(), ...(detail === undefined ? {} : { detail }) });
    } catch (error) {
      const failure = error instanceof Error ? error.message : String(error);
      this.#lines.push({ area, what, failure, seconds: seconds() });
    }
    process.stderr.write(`${lineText(this.#lines.at(-1) as Line)}\n`);
  }

  get failed(): number {
    return this.#lines.filter(({ failure }) => failure !== undefined).length;
  }

  /** A table by area, then `N passed, N failed`. */
  text(): string {
    const passed = this.#lines.length - this.failed;
    return `${this.#lines.map(lineText).join('\n')}\n${passed} passed, ${this.failed} failed\n`;
  }
}

const LONGEST_FAILURE = 1500;

function lineText({ area, what, failure, detail, seconds }: Line): string {
  const head = `${failure === undefined ? 'pass' : 'FAIL'}  ${area.padEnd(10)} ${what.padEnd(78)} ${seconds.toFixed(1).padStart(6)} s`;
  const note = failure?.slice(0, LONGEST_FAILURE) ?? detail;
  return note === undefined ? head : `${head}  ${note.replaceAll('\n', '\n      ')}`;
}
