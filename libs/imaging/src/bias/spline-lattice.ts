/**
 * Cubic B-spline lattice over a regular grid: approximation of scattered values (Lee, Wolberg & Shin 1997, equations 3-5,
 * with Tustison's confidence weights), evaluation and refinement. Because the samples lie on a grid, the 64-term sums
 * factor into three passes of 4 terms, one an axis; `spline-lattice.test.ts` holds the naive 64-term version.
 */

/** Control points [cx, cy, cz] with x fastest; `cells` + 3 on each axis. */
export interface Lattice {
  readonly cells: readonly [number, number, number];
  readonly data: Float64Array;
}

/** For each sample of one axis: the first of its four control points, and the four weights. */
export interface AxisWeights {
  readonly first: Int32Array;
  readonly weights: Float64Array;
  readonly controls: number;
}

/** Weights of `samples` at start + i*step, in units of the whole domain (0 to 1), for `cells` spline cells. */
export function axisWeights(samples: number, start: number, step: number, cells: number): AxisWeights {
  const first = new Int32Array(samples);
  const weights = new Float64Array(4 * samples);
  for (let i = 0; i < samples; i++) {
    const u = Math.min(Math.max((start + i * step) * cells, 0), cells);
    const cell = Math.min(Math.floor(u), cells - 1);
    const t = u - cell;
    first[i] = cell;
    weights[4 * i] = (1 - t) ** 3 / 6;
    weights[4 * i + 1] = (3 * t ** 3 - 6 * t ** 2 + 4) / 6;
    weights[4 * i + 2] = (-3 * t ** 3 + 3 * t ** 2 + 3 * t + 1) / 6;
    weights[4 * i + 3] = t ** 3 / 6;
  }
  return { first, weights, controls: cells + 3 };
}

export type GridWeights = readonly [AxisWeights, AxisWeights, AxisWeights];

/** Sum over samples of value * wx^p wy^p wz^p for each control point. */
function spread(values: ArrayLike<number>, grid: GridWeights, power: number): Float64Array {
  let data: ArrayLike<number> = values;
  let inner = 1;
  let outer = values.length;
  for (const { first, weights, controls } of grid) {
    const n = first.length;
    outer /= n;
    const out = new Float64Array(inner * controls * outer);
    const raised = weights.map((w) => w ** power);
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < n; i++) {
        const from = (o * n + i) * inner;
        for (let k = 0; k < 4; k++) {
          const w = raised[4 * i + k]!;
          const to = (o * controls + first[i]! + k) * inner;
          for (let x = 0; x < inner; x++) out[to + x]! += w * data[from + x]!;
        }
      }
    }
    data = out;
    inner *= controls;
  }
  return data as Float64Array;
}

/** Confidence weights prepared for one lattice: sum of w^2 * omega for each control point, and omega / sum of squared weights for each sample. */
export interface FitPlan {
  readonly grid: GridWeights;
  readonly cells: readonly [number, number, number];
  readonly share: Float64Array;
  readonly confidence: Float64Array;
}

/** `confidence` holds a weight >= 0 for each sample, x fastest; 0 leaves a sample out. */
export function planFit(grid: GridWeights, confidence: ArrayLike<number>): FitPlan {
  const squares = grid.map(({ first, weights }) => {
    const out = new Float64Array(first.length);
    for (let i = 0; i < first.length; i++) {
      for (let k = 0; k < 4; k++) out[i]! += weights[4 * i + k]! ** 2;
    }
    return out;
  });
  const [sx, sy, sz] = [squares[0]!, squares[1]!, squares[2]!];
  const share = new Float64Array(confidence.length);
  let index = 0;
  for (let z = 0; z < sz.length; z++) {
    for (let y = 0; y < sy.length; y++) {
      const yz = sy[y]! * sz[z]!;
      for (let x = 0; x < sx.length; x++, index++) share[index] = confidence[index]! / (sx[x]! * yz);
    }
  }
  return {
    grid,
    cells: [grid[0].controls - 3, grid[1].controls - 3, grid[2].controls - 3],
    share,
    confidence: spread(confidence, grid, 2),
  };
}

/** The lattice that approximates `values` (one a sample): control point = sum(w^2 omega phi) / sum(w^2 omega), phi = w value / sum w^2. */
export function fitLattice(plan: FitPlan, values: ArrayLike<number>): Lattice {
  const shared = new Float64Array(values.length);
  for (let i = 0; i < shared.length; i++) shared[i] = values[i]! * plan.share[i]!;
  const data = spread(shared, plan.grid, 3);
  // The floor only guards 0/0: a control point that no sample touches stays 0, which lets the field fade outside the mask.
  for (let i = 0; i < data.length; i++) data[i]! /= Math.max(plan.confidence[i]!, 1e-300);
  return { cells: plan.cells, data };
}

/** The field at every sample of the grid, x fastest. */
export function evaluateLattice(lattice: Lattice, grid: GridWeights, out: Float32Array): Float32Array {
  const [gx, gy, gz] = grid;
  const cx = gx.controls;
  const cy = gy.controls;
  const ny = gy.first.length;
  const nx = gx.first.length;
  const plane = new Float64Array(cx * cy);
  const row = new Float64Array(cx);
  for (let z = 0; z < gz.first.length; z++) {
    plane.fill(0);
    for (let k = 0; k < 4; k++) {
      const w = gz.weights[4 * z + k]!;
      const from = (gz.first[z]! + k) * plane.length;
      for (let i = 0; i < plane.length; i++) plane[i]! += w * lattice.data[from + i]!;
    }
    for (let y = 0; y < ny; y++) {
      const f = gy.first[y]! * cx;
      const [a, b, c, d] = [gy.weights[4 * y]!, gy.weights[4 * y + 1]!, gy.weights[4 * y + 2]!, gy.weights[4 * y + 3]!];
      for (let i = 0; i < cx; i++) {
        row[i] = a * plane[f + i]! + b * plane[f + cx + i]! + c * plane[f + 2 * cx + i]! + d * plane[f + 3 * cx + i]!;
      }
      const start = (z * ny + y) * nx;
      for (let x = 0; x < nx; x++) {
        const g = gx.first[x]!;
        const w = 4 * x;
        out[start + x] =
          gx.weights[w]! * row[g]! +
          gx.weights[w + 1]! * row[g + 1]! +
          gx.weights[w + 2]! * row[g + 2]! +
          gx.weights[w + 3]! * row[g + 3]!;
      }
    }
  }
  return out;
}

/** The same spline on a lattice of twice the cells, exactly (cubic subdivision: 1/8 [1 4 6 4 1]; Lee 1997, section 4). */
export function refineLattice(lattice: Lattice): Lattice {
  let data = lattice.data;
  let inner = 1;
  let outer = data.length;
  for (const cells of lattice.cells) {
    const from = cells + 3;
    const to = 2 * cells + 3;
    outer /= from;
    const out = new Float64Array(inner * to * outer);
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < to; i++) {
        // Fine control i sits at coarse position (i + 1) / 2: on a control point (even spacing) or between two.
        const coarse = (i + 1) >> 1;
        const target = (o * to + i) * inner;
        const at = (j: number) => (o * from + j) * inner;
        for (let x = 0; x < inner; x++) {
          out[target + x] =
            i % 2 === 1
              ? (data[at(coarse - 1) + x]! + 6 * data[at(coarse) + x]! + data[at(coarse + 1) + x]!) / 8
              : (data[at(coarse) + x]! + data[at(coarse + 1) + x]!) / 2;
        }
      }
    }
    data = out;
    inner *= to;
  }
  return { cells: [2 * lattice.cells[0], 2 * lattice.cells[1], 2 * lattice.cells[2]], data };
}
