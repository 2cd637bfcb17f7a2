/**
 * Where the public test data lies: `../shared/data` beside the repository's root (see its INDEX.md). Tests that need it
 * skip with a message where it is absent:
 *
 * @example
 * test.skipIf(!hasSharedData)('reads a real T1 (needs ../shared/data)', () => readNifti(sharedData('t1', 'a.nii.gz')));
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../../shared/data', import.meta.url));

/** Whether the folder of public test data is on this machine. */
export const hasSharedData: boolean = existsSync(root);

/** Absolute path of a file or folder below `../shared/data`. */
export const sharedData = (...path: string[]): string => join(root, ...path);
