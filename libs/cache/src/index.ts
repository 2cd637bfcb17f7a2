/**
 * What is fetched once and kept in the user's cache: whole or not at all, and checked.
 *
 * @example
 * await appearWhole(join(cacheDir(), 'tool-1.0'), async (folder) => fill(folder));
 * @module
 */
export { appearWhole } from './appear-whole.ts';
export { cacheDir } from './cache-dir.ts';
export { type DebianRequest, fetchDebianPackages, unpackDebianPackage } from './debian.ts';
export { fileSha256 } from './file-sha256.ts';
export { runTool, type ToolOptions } from './run-tool.ts';
