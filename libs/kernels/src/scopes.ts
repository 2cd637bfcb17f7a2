import { AsyncLocalStorage } from 'node:async_hooks';
import type { Buffer } from './device.ts';

export interface Scopes {
  /** Runs work; disposes what it allocated and did not return. */
  run<T>(work: () => Promise<T>): Promise<T>;
  track(buffer: Buffer): void;
  forget(buffer: Buffer): void;
}

/** Which scope allocated a buffer follows the asynchronous call, so that scopes of concurrent work do not mix. */
export function createScopes(): Scopes {
  const current = new AsyncLocalStorage<Set<Buffer>>();
  const scopeOf = new WeakMap<Buffer, Set<Buffer>>();

  const track = (buffer: Buffer) => {
    const scope = current.getStore();
    scope?.add(buffer);
    if (scope) scopeOf.set(buffer, scope);
  };

  return {
    run: (work) => {
      const scope = new Set<Buffer>();
      return current
        .run(scope, work)
        .then((result) => {
          for (const buffer of buffersIn(result, scope)) {
            scope.delete(buffer);
            // Not in the inner scope any more: the one around it, if any, frees it.
            track(buffer);
          }
          return result;
        })
        .finally(() => {
          for (const buffer of [...scope]) buffer.dispose();
        });
    },
    track,
    forget: (buffer) => scopeOf.get(buffer)?.delete(buffer),
  };
}

function buffersIn(value: unknown, scope: ReadonlySet<unknown>): Buffer[] {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return [];
  const found = [...scope].filter((buffer): buffer is Buffer => buffer === value);
  if (found.length > 0) return found;
  return Object.values(value).flatMap((inner) => buffersIn(inner, scope));
}
