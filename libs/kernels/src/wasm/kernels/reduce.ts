import { BLOCK, smaller } from './vector';

/** Smallest, largest and sum of each block: three float64. Sums are float64 in index order. */
export function reduce(input: usize, count: i32, partials: usize, from: i32, to: i32, scratch: usize): void {
  for (let block = from; block < to; block++) {
    const end = smaller((block + 1) * BLOCK, count);
    let least: f64 = Infinity;
    let most: f64 = -Infinity;
    let sum: f64 = 0;
    for (let i = block * BLOCK; i < end; i++) {
      const value = <f64>load<f32>(input + (<usize>i << 2));
      least = min<f64>(least, value);
      most = max<f64>(most, value);
      sum += value;
    }
    const at = partials + <usize>block * 24;
    store<f64>(at, least);
    store<f64>(at, most, 8);
    store<f64>(at, sum, 16);
  }
}
