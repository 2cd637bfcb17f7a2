import type { Buffer, Field } from './device.ts';
import { invalidBuffer } from './device-errors.ts';
import { createScopes } from './scopes.ts';

/** The buffers of one device: what lies behind each, while it is there. */
export interface BufferRegistry<T> {
  add(length: number, content: T): Buffer;
  /** @throws DEVICE_BUFFER_INVALID when it was freed, is of another device, or has fewer than `length` elements. */
  get(buffer: Buffer, length?: number): T;
  getField(field: Field, length?: number): [T, T, T];
  scope<R>(work: () => Promise<R>): Promise<R>;
  disposeAll(): void;
}

/** `release` gives back what lay behind a buffer, once. */
export function createBufferRegistry<T>(release: (content: T, length: number) => void): BufferRegistry<T> {
  const scopes = createScopes();
  const contents = new Map<Buffer, T>();
  const freed = new WeakSet<Buffer>();

  const get = (buffer: Buffer, length = 0): T => {
    const content = contents.get(buffer);
    if (content === undefined) throw invalidBuffer(freed.has(buffer) ? 'was freed' : 'belongs to another device');
    if (buffer.length < length) throw invalidBuffer(`has ${buffer.length} elements where ${length} are needed`);
    return content;
  };

  return {
    add: (length, content) => {
      const buffer: Buffer = {
        length,
        dispose: () => {
          if (!contents.delete(buffer)) return;
          freed.add(buffer);
          scopes.forget(buffer);
          release(content, length);
        },
      };
      contents.set(buffer, content);
      scopes.track(buffer);
      return buffer;
    },
    get,
    getField: (field, length) => [get(field[0], length), get(field[1], length), get(field[2], length)],
    scope: scopes.run,
    disposeAll: () => {
      for (const buffer of [...contents.keys()]) buffer.dispose();
    },
  };
}
