/** Quasi-Newton minimisation of a smooth function of a few parameters (BFGS; Nocedal & Wright 2006, chapter 6). */

export interface Evaluation {
  readonly value: number;
  readonly gradient: Float64Array;
}

export interface MinimiseOptions {
  /** Longest step, in the parameters' unit. */
  readonly maxStep: number;
  /** The search has converged when a step is shorter than this. */
  readonly tolerance: number;
  readonly maxIterations: number;
}

export interface Minimum {
  readonly parameters: Float64Array;
  readonly value: number;
  readonly iterations: number;
  readonly evaluations: number;
  readonly converged: boolean;
}

const dot = (a: Float64Array, b: Float64Array) => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
};
const norm = (a: Float64Array) => Math.sqrt(dot(a, a));

/** Starts at `start`; never returns a value above f(start). */
export function minimise(
  f: (parameters: Float64Array) => Evaluation,
  start: ArrayLike<number>,
  { maxStep, tolerance, maxIterations }: MinimiseOptions,
): Minimum {
  const n = start.length;
  let x: Float64Array = Float64Array.from(start);
  let now = f(x);
  let evaluations = 1;
  let inverse = scaledIdentity(n, 1);
  let fresh = true;
  for (let iteration = 0; iteration < maxIterations; iteration++) {
    let direction = times(inverse, now.gradient);
    let along = -dot(direction, now.gradient);
    if (!(along < 0)) {
      inverse = scaledIdentity(n, 1);
      fresh = true;
      direction = Float64Array.from(now.gradient);
      along = -dot(direction, direction);
      if (!(along < 0)) return { parameters: x, value: now.value, iterations: iteration, evaluations, converged: true };
    }
    const length = norm(direction);
    // A first step has no curvature to go by: half the longest. Later ones are taken whole, up to the limit.
    let step = fresh ? (0.5 * maxStep) / length : Math.min(1, maxStep / length);
    let next: Float64Array;
    let there: Evaluation;
    for (;;) {
      const reach = step;
      next = x.map((v, i) => v - reach * direction[i]);
      there = f(next);
      evaluations++;
      if (there.value <= now.value + 1e-4 * step * along) break;
      if (step * length < tolerance) {
        if (!fresh) break;
        return { parameters: x, value: now.value, iterations: iteration, evaluations, converged: true };
      }
      // Minimum of the parabola through f(0), f'(0), f(step), kept within [0.1, 0.5] of the step.
      const parabola = (-along * step * step) / (2 * (there.value - now.value - along * step));
      step = Math.min(0.5 * step, Math.max(0.1 * step, parabola));
    }
    if (there.value > now.value) {
      // The quasi-Newton direction failed down to the tolerance: try steepest descent once before giving up.
      inverse = scaledIdentity(n, 1);
      fresh = true;
      continue;
    }
    const s = next.map((v, i) => v - x[i]);
    const y = there.gradient.map((v, i) => v - now.gradient[i]);
    const moved = norm(s);
    const curvature = dot(s, y);
    if (curvature > 1e-12 * moved * norm(y)) {
      if (fresh) inverse = scaledIdentity(n, curvature / dot(y, y));
      update(inverse, s, y, curvature);
      fresh = false;
    }
    x = next;
    now = there;
    if (moved < tolerance)
      return { parameters: x, value: now.value, iterations: iteration + 1, evaluations, converged: true };
  }
  return { parameters: x, value: now.value, iterations: maxIterations, evaluations, converged: false };
}

const scaledIdentity = (n: number, scale: number) =>
  Array.from({ length: n }, (_, row) => Float64Array.from({ length: n }, (_, column) => (row === column ? scale : 0)));

const times = (m: readonly Float64Array[], v: Float64Array) => Float64Array.from(m, (row) => dot(row, v));

/** H ← (I − s yᵀ/sᵀy) H (I − y sᵀ/sᵀy) + s sᵀ/sᵀy. */
function update(h: readonly Float64Array[], s: Float64Array, y: Float64Array, curvature: number): void {
  const hy = times(h, y);
  const gain = (1 + dot(y, hy) / curvature) / curvature;
  for (let i = 0; i < s.length; i++)
    for (let j = 0; j < s.length; j++) h[i][j] += gain * s[i] * s[j] - (hy[i] * s[j] + s[i] * hy[j]) / curvature;
}
