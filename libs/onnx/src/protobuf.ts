/**
 * The few protobuf wire forms that an ONNX file needs (onnx.proto, IR version 8): varint, length-delimited, 32-bit.
 * Fields are written in the order given, so equal models are equal bytes.
 */

function varint(value: number | bigint): number[] {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest > 0n ? low | 0x80 : low);
  } while (rest > 0n);
  return bytes;
}

const tag = (field: number, wire: 0 | 2 | 5): number[] => varint((field << 3) | wire);

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    all.set(part, offset);
    offset += part.length;
  }
  return all;
}

/** int32, int64 or enum field. */
export const integer = (field: number, value: number): Uint8Array =>
  Uint8Array.from([...tag(field, 0), ...varint(value)]);

/** A message, bytes or packed field. */
export function bytes(field: number, value: Uint8Array): Uint8Array {
  return concat([Uint8Array.from([...tag(field, 2), ...varint(value.length)]), value]);
}

export const string = (field: number, value: string): Uint8Array => bytes(field, new TextEncoder().encode(value));
export const message = (field: number, parts: readonly Uint8Array[]): Uint8Array => bytes(field, concat(parts));
