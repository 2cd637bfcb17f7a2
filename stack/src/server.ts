/** What a server is: how it is installed, started and asked whether it answers. One file a server in `servers/`. */

export type Progress = (text: string) => void;

/** Where one server runs: what was installed, its own folder for data and settings, its ports by name. */
export interface Place {
  readonly installed: string;
  readonly dir: string;
  readonly ports: Readonly<Record<string, number>>;
  /** Whether it will be worked for long rather than for a few requests: then a slower start pays. */
  readonly busy: boolean;
}

export interface Launch {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export interface InstallFolders {
  /** To be filled; becomes the installed folder when all went well. */
  readonly folder: string;
  /** For what need not be kept. */
  readonly work: string;
  readonly checksums: Checksums;
}

export interface ServerDefinition {
  readonly name: string;
  readonly version: string;
  /** Names of the ports it listens on; the first is the one its URL holds. */
  readonly ports: readonly string[];
  /** How long a start may take on a busy machine. */
  readonly startupMs: number;
  /** @throws PACKAGE_UNAVAILABLE */
  install(folders: InstallFolders, progress: Progress): Promise<void>;
  /** Writes settings below `place.dir` and says what to run. A second start on the same folder finds its data again. */
  launch(place: Place): Promise<Launch>;
  /** Asks the server's own API for something that only a working server answers; throws otherwise. */
  ready(place: Place): Promise<void>;
  /** The first is its URL. */
  environment(place: Place): Readonly<Record<string, string>>;
}

/** The recorded sha256 of every file that an installation fetched. */
export interface Checksums {
  /** @throws PACKAGE_UNAVAILABLE when a file differs, is missing or is not recorded. */
  check(folder: string): Promise<void>;
}

export const HOST = '127.0.0.1';
