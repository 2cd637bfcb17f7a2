import { outOfMemory } from '../device-errors.ts';

const PAGE = 65_536;
const ALIGN = 64;
/** Kernels may read one vector past a row's end, see kernels/vector.ts. */
const SLACK = 64;

export interface DeviceMemory {
  readonly memory: WebAssembly.Memory;
  /** Byte pointer, aligned to 64. @throws DEVICE_OUT_OF_MEMORY */
  reserve(bytes: number): number;
  release(pointer: number): void;
  usage(): { readonly bytes: number; readonly peak: number };
}

interface Gap {
  at: number;
  size: number;
}

/**
 * First fit over one growing WebAssembly memory whose maximum is the ceiling. Freed neighbours merge, so that a scope
 * gives back one gap.
 */
export function createMemory(maxBytes: number): DeviceMemory {
  const maximum = Math.max(1, Math.min(65_536, Math.floor(maxBytes / PAGE)));
  const memory = new WebAssembly.Memory({ initial: 1, maximum, shared: true });
  const sizes = new Map<number, number>();
  /** By address. The first bytes stay unused: a null pointer means "none". */
  const gaps: Gap[] = [{ at: ALIGN, size: PAGE - ALIGN }];
  let end = PAGE;
  let bytes = 0;
  let peak = 0;

  const grow = (size: number) => {
    const last = gaps.at(-1);
    const tail = last && last.at + last.size === end ? last : null;
    const pages = Math.ceil((size - (tail?.size ?? 0)) / PAGE);
    if (end / PAGE + pages > maximum) throw outOfMemory(size, bytes, maximum * PAGE);
    try {
      memory.grow(pages);
    } catch {
      throw outOfMemory(size, bytes, maximum * PAGE);
    }
    if (tail) tail.size += pages * PAGE;
    else gaps.push({ at: end, size: pages * PAGE });
    end += pages * PAGE;
  };

  return {
    memory,
    reserve: (wanted) => {
      const size = Math.ceil((wanted + SLACK) / ALIGN) * ALIGN;
      if (!gaps.some((gap) => gap.size >= size)) grow(size);
      const index = gaps.findIndex((gap) => gap.size >= size);
      const gap = gaps[index];
      const at = gap.at;
      if (gap.size === size) gaps.splice(index, 1);
      else {
        gap.at += size;
        gap.size -= size;
      }
      sizes.set(at, size);
      bytes += size;
      peak = Math.max(peak, bytes);
      return at;
    },
    release: (pointer) => {
      const size = sizes.get(pointer);
      if (size === undefined) return;
      sizes.delete(pointer);
      bytes -= size;
      const after = gaps.findIndex((gap) => gap.at > pointer);
      const index = after < 0 ? gaps.length : after;
      gaps.splice(index, 0, { at: pointer, size });
      merge(gaps, index);
      if (index > 0) merge(gaps, index - 1);
    },
    usage: () => ({ bytes, peak }),
  };
}

function merge(gaps: Gap[], index: number): void {
  const next = gaps[index + 1];
  if (!next || gaps[index].at + gaps[index].size !== next.at) return;
  gaps[index].size += next.size;
  gaps.splice(index + 1, 1);
}
