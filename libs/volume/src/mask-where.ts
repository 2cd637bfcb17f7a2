/**
 * 1 where `test` holds, 0 elsewhere. A loop, because `Uint8Array.from` with a callback walks an iterator, which on a whole head takes
 * seconds.
 */
export function maskWhere<T extends Float32Array | Uint8Array | Uint16Array | Int32Array>(
  data: T,
  test: (value: number, at: number) => boolean,
): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(data.length);
  for (let at = 0; at < data.length; at++) out[at] = test(data[at], at) ? 1 : 0;
  return out;
}
