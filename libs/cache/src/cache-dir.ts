import { homedir } from 'node:os';
import { join } from 'node:path';

/** `$ENGRAM_CACHE_DIR`, else `$XDG_CACHE_HOME/engram`, else `~/.cache/engram`. Not made by this. */
export function cacheDir(env: NodeJS.ProcessEnv = process.env): string {
  return env['ENGRAM_CACHE_DIR'] ?? join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'engram');
}
