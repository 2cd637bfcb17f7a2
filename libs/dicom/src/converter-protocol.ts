/** What goes to and comes from the converter's process. */
export interface ConverterJob {
  readonly files: readonly { readonly path: string; readonly name: string }[];
  /** Where the images go; the only folder the process may write to. */
  readonly folder: string;
}

export interface ConverterReport {
  readonly exitCode: number;
  readonly outputs: readonly string[];
  readonly log: readonly string[];
  readonly error?: { readonly code: string; readonly message: string; readonly file?: string; readonly field?: string };
}
