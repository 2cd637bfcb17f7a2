/**
 * Immutable objects known by sha256, under keys of names joined by `/`.
 *
 * @example
 * const objects = await openObjects('file:///var/lib/engram/objects');
 * const { sha256 } = await objects.put('runs/r-1/qc.json', Buffer.from('{}'), { contentType: 'application/json' });
 * @module
 */
export { checkKey } from './key.ts';
export { ensureLifecycle, type LifecycleRule } from './lifecycle.ts';
export { type ObjectsPluginOptions, objectsPlugin } from './objects-plugin.ts';
export { type OpenObjectsOptions, openObjects } from './open.ts';
export type * from './port.ts';
