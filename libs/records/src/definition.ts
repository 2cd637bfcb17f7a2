/** What a definition allows: names of collections, and paths that may be searched. Shared by the adapters. */
import { EngramError } from '@engram/errors';
import type { CollectionDefinition, OrderedSearch } from './port.ts';

const NAME = /^[a-z][A-Za-z0-9-]*(\.[a-z][A-Za-z0-9-]*)*$/;
const PATH = /^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$/;

/** @throws CONFIG_INVALID. */
export function checkName(name: string): string {
  if (!NAME.test(name)) {
    throw new EngramError('CONFIG_INVALID', `${name} is not a collection name such as preprocessing.runs`);
  }
  return name;
}

/** @throws RECORD_PATH_UNKNOWN. */
export function checkPath(path: string): string {
  if (!PATH.test(path)) throw new EngramError('RECORD_PATH_UNKNOWN', `${path} is not a dotted path`, { field: path });
  return path;
}

export const searchablePaths = (definition: CollectionDefinition<unknown>): ReadonlySet<string> => {
  const { indexes = [], ordered = [], unique = [] } = definition;
  return new Set([...indexes, ...ordered.flatMap(pathsOf), ...unique.flat()]);
};

export const pathsOf = ({ where, orderBy }: OrderedSearch): readonly string[] => [
  ...where,
  ...orderBy.map(([path]) => path),
];

/** @throws RECORD_PATH_UNKNOWN when the path is not among those of the definition. */
export function checkSearchable(path: string, allowed: ReadonlySet<string>): string {
  if (!allowed.has(path)) {
    throw new EngramError('RECORD_PATH_UNKNOWN', `${path} is not an index of this collection`, { field: path });
  }
  return checkPath(path);
}
