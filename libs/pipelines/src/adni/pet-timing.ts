/** What a PET's BIDS sidecar says: tracer and frame times. */
import { tracerWindow } from '@engram/imaging';
import { z } from 'zod';

const numbers = z.union([z.array(z.number()), z.number().transform((value) => [value])]);

/** BIDS PET metadata; times in seconds against `TimeZero`. Unknown fields are left alone. */
const sidecarSchema = z.object({
  TracerName: z.string().optional(),
  FrameTimesStart: numbers.optional(),
  FrameDuration: numbers.optional(),
  InjectionStart: z.number().optional(),
});

export interface PetMetadata {
  readonly tracer: string | null;
  /** Seconds after injection. */
  readonly timing: { readonly startsS: readonly number[]; readonly durationsS: readonly number[] } | null;
  readonly warnings: readonly string[];
}

export function parsePetSidecar(json: unknown): PetMetadata {
  const parsed = sidecarSchema.safeParse(json);
  if (!parsed.success)
    return { tracer: null, timing: null, warnings: ['The PET sidecar is not understood and is left aside'] };
  const { TracerName, FrameTimesStart, FrameDuration, InjectionStart = 0 } = parsed.data;
  return {
    tracer: TracerName?.trim() || null,
    timing:
      FrameTimesStart && FrameDuration
        ? { startsS: FrameTimesStart.map((start) => start - InjectionStart), durationsS: FrameDuration }
        : null,
    warnings: [],
  };
}

/** The names of the time windows' table by the short names of the tracers. */
const LONG_NAMES: Readonly<Record<string, string>> = {
  FBP: 'florbetapir',
  FBB: 'florbetaben',
  FLUTE: 'flutemetamol',
  FTP: 'flortaucipir',
};

/** Seconds after injection in which a tracer is read; undefined where it is not known. */
export const windowOf = (tracer: string): readonly [number, number] | undefined =>
  tracerWindow(LONG_NAMES[tracer] ?? tracer)?.window;
