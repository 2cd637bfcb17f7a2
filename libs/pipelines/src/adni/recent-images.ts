/**
 * The images that the tasks of this process read or wrote last, decoded. Five tasks read the corrected T1: inflating its file
 * five times would cost more than some of them do. Found by the hash of the file, so that what is remembered is what
 * was stored. Whoever takes one must not write into its voxels.
 */
import type { NiftiHeader } from '@engram/formats';
import type { LabelVolume, MaskVolume, Volume } from '@engram/volume';

interface Decoded {
  readonly image: { readonly volume: Volume; readonly header: NiftiHeader };
  readonly labels: LabelVolume;
  readonly mask: MaskVolume;
}
export type Kind = keyof Decoded;

interface Entry {
  readonly value: Decoded[Kind];
  readonly bytes: number;
}

/** What a 1 mm head and its tissues take; the tasks themselves need three times as much. */
export const RECENT_BYTES = 384 * 2 ** 20;

export interface RecentImages {
  /** What is remembered, else what `read` gives, which then is. */
  get<K extends Kind>(sha256: string, kind: K, read: () => Promise<Decoded[K]>): Promise<Decoded[K]>;
  put<K extends Kind>(sha256: string, kind: K, value: Decoded[K]): void;
}

const voxelBytes = (value: Decoded[Kind]): number => ('volume' in value ? value.volume : value).data.byteLength;

/** @param limit of voxel bytes together: the one not asked for longest goes first. */
export function recentImages(limit: number): RecentImages {
  // In the order in which they were asked for last.
  const entries = new Map<string, Entry>();
  let held = 0;

  const drop = (key: string): void => {
    held -= entries.get(key)?.bytes ?? 0;
    entries.delete(key);
  };

  const put: RecentImages['put'] = (sha256, kind, value) => {
    const key = `${kind} ${sha256}`;
    const bytes = voxelBytes(value);
    drop(key);
    if (bytes > limit) return;
    entries.set(key, { value, bytes });
    held += bytes;
    for (const oldest of entries.keys()) {
      if (held <= limit) break;
      drop(oldest);
    }
  };

  return {
    put,
    async get<K extends Kind>(sha256: string, kind: K, read: () => Promise<Decoded[K]>): Promise<Decoded[K]> {
      const found = entries.get(`${kind} ${sha256}`);
      // The key holds the kind, so the entry is of it.
      const value = found ? (found.value as Decoded[K]) : await read();
      put(sha256, kind, value);
      return value;
    },
  };
}
