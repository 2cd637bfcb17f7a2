/** NIfTI's scalar datatypes: code, bytes a voxel, range. Complex, RGB, binary and 128-bit types are not images to us. */
export interface DatatypeEntry {
  readonly code: number;
  readonly bytes: number;
  readonly integer: boolean;
  readonly min: number;
  readonly max: number;
}

export const datatypes = {
  uint8: { code: 2, bytes: 1, integer: true, min: 0, max: 255 },
  int16: { code: 4, bytes: 2, integer: true, min: -32768, max: 32767 },
  int32: { code: 8, bytes: 4, integer: true, min: -(2 ** 31), max: 2 ** 31 - 1 },
  float32: { code: 16, bytes: 4, integer: false, min: -3.4028234663852886e38, max: 3.4028234663852886e38 },
  float64: { code: 64, bytes: 8, integer: false, min: -Number.MAX_VALUE, max: Number.MAX_VALUE },
  int8: { code: 256, bytes: 1, integer: true, min: -128, max: 127 },
  uint16: { code: 512, bytes: 2, integer: true, min: 0, max: 65535 },
  uint32: { code: 768, bytes: 4, integer: true, min: 0, max: 2 ** 32 - 1 },
  int64: { code: 1024, bytes: 8, integer: true, min: -(2 ** 63), max: 2 ** 63 },
  uint64: { code: 1280, bytes: 8, integer: true, min: 0, max: 2 ** 64 },
} as const satisfies Record<string, DatatypeEntry>;

export type Datatype = keyof typeof datatypes;

/** Names of the datatypes that are refused, for the message. */
const refused: Readonly<Record<number, string>> = {
  0: 'unknown',
  1: 'binary',
  32: 'complex64',
  128: 'RGB24',
  1536: 'float128',
  1792: 'complex128',
  2048: 'complex256',
  2304: 'RGBA32',
};

export const datatypeOf = (code: number): Datatype | undefined => {
  for (const name of Object.keys(datatypes) as Datatype[]) if (datatypes[name].code === code) return name;
  return undefined;
};

export const datatypeName = (code: number): string => datatypeOf(code) ?? refused[code] ?? `code ${code}`;
