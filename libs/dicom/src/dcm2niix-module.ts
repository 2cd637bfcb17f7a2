/** The Emscripten module of @niivue/dcm2niix, which ships no types: only what the converter uses. */
export interface Dcm2niix {
  readonly FS: {
    mkdir(path: string): void;
    createDataFile(folder: string, name: string, bytes: Uint8Array, canRead: boolean, canWrite: boolean): void;
    readdir(path: string): string[];
    readFile(path: string): Uint8Array;
  };
  callMain(args: readonly string[]): number;
}

export interface ModuleOptions {
  readonly wasmBinary: Uint8Array;
  readonly print: (line: string) => void;
  readonly printErr: (line: string) => void;
}

type Factory = (options: ModuleOptions) => Promise<Dcm2niix>;

/** A fresh module: its `main` keeps state, so it is called once. */
export async function loadDcm2niix(script: URL, options: ModuleOptions): Promise<Dcm2niix> {
  const loaded: { readonly default: Factory } = await import(script.href);
  return await loaded.default(options);
}
