/** Seeded randomness for simulation and training: the same seed gives the same bytes. */

export interface Random {
  /** Uniform in [0, 1). */
  uniform(): number;
  normal(mean?: number, sd?: number): number;
  /** True with the given probability. */
  chance(probability: number): boolean;
  /** Integer in [0, n). */
  below(n: number): number;
}

/** sfc32 of PractRand (Chris Doty-Humphrey): 128 bit state, small and well tested. */
export function seededRandom(seed: number): Random {
  let a = 0x9e3779b9;
  let b = 0x243f6a88;
  let c = 0xb7e15162;
  let d = seed >>> 0;
  const next = (): number => {
    const t = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + t) | 0;
    return (t >>> 0) / 4294967296;
  };
  for (let k = 0; k < 16; k++) next();
  const normal = (mean = 0, sd = 1): number =>
    mean + sd * Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
  return { uniform: next, normal, chance: (p) => next() < p, below: (n) => Math.floor(next() * n) };
}
