// Laws of the two-sample Cramer-von Mises statistic T under the null: the limit law and the exact
// law of small samples.

/** Midpoint nodes per half period: the integrand is smooth in the angle, so 64 give 1e-14. */
const NODES = 64;
/** Half periods that are summed: exp(-x t^2 / 2) has long vanished at t = 2 pi 40. */
const PERIODS_MAX = 40;

/**
 * P(integral of B^2 > x) for a Brownian bridge B, by Smirnov's alternating series
 * 2/pi sum_j (-1)^(j+1) I_j, I_j = integral over t from (2j-1) pi to 2j pi of
 * sqrt(-t / sin t) exp(-x t^2 / 2) / t. With t = middle - pi/2 cos(angle) the two end points are no
 * longer singular. Relative accuracy is kept in the upper tail. O(1): some thousand exponentials.
 *
 * @param x any number; 1 where x is at most .003, as scipy has it
 */
export function cramerVonMisesUpper(x: number): number {
  if (Number.isNaN(x)) return Number.NaN;
  if (x <= 0.003) return 1;
  let sum = 0;
  for (let j = 1; j <= PERIODS_MAX; j++) {
    const middle = (2 * j - 0.5) * Math.PI;
    let part = 0;
    for (let node = 0; node < NODES; node++) {
      const angle = ((node + 0.5) * Math.PI) / NODES;
      const offset = -(Math.PI / 2) * Math.cos(angle);
      const t = middle + offset;
      // sin t = -cos(offset) here.
      const weight = Math.sin(angle) / Math.sqrt(t * Math.cos(offset));
      part += weight * Math.exp((-x * t * t) / 2);
    }
    sum += j % 2 === 1 ? part : -part;
    if (part < 1e-18 * sum) break;
  }
  return Math.min(1, (Math.PI / NODES) * sum);
}

/**
 * P(T >= t | F = G, continuous) exactly (Anderson 1962; Xiao, Gordon and Yakovlev 2007), by
 * counting lattice paths from (0,0) to (n,m) by their integer sum of (i a - j b)^2, with a and b
 * the least common multiple over n and m. Sums at or above the one seen are counted together.
 *
 * @param t statistic T as `cramerVonMises` gives it
 * @param n rows of one side, small: time and memory grow as the number of distinct sums
 */
export function cramerVonMisesExact(t: number, n: number, m: number): number {
  const multiple = (n / greatestCommonDivisor(n, m)) * m;
  const [a, b] = [multiple / n, multiple / m];
  // T = n m / (n + m)^2 sum (i/n - j/m)^2 over the path's n + m points. Ties put T between two
  // sums; the lower one is taken, as scipy does. The allowance is for rounding.
  const seen = (t * (n + m) ** 2 * multiple * multiple) / (n * m);
  const limit = Math.floor(seen + 1e-9 * Math.max(1, seen));
  let column: PathSums[] = [];
  for (let i = 0; i <= n; i++) {
    const next: PathSums[] = [];
    for (let j = 0; j <= m; j++) {
      const below = next[j - 1];
      const left = column[j];
      const start = i === 0 && j === 0 ? ORIGIN : joined(left ?? NO_PATHS, below ?? NO_PATHS);
      next.push(advanced(start, (i * a - j * b) ** 2, limit));
    }
    column = next;
  }
  const { beyond, paths } = column[m] as PathSums;
  return beyond / (beyond + paths.reduce((total, count) => total + count, 0));
}

/** Paths to a lattice point: how many per distinct sum, and how many at or above the limit. */
interface PathSums {
  /** Ascending. */
  readonly sums: readonly number[];
  readonly paths: readonly number[];
  readonly beyond: number;
}

const NO_PATHS: PathSums = { sums: [], paths: [], beyond: 0 };
const ORIGIN: PathSums = { sums: [0], paths: [1], beyond: 0 };

function joined(a: PathSums, b: PathSums): PathSums {
  const sums: number[] = [];
  const paths: number[] = [];
  for (let i = 0, j = 0; i < a.sums.length || j < b.sums.length; ) {
    const sum = Math.min(a.sums[i] ?? Infinity, b.sums[j] ?? Infinity);
    let count = 0;
    if (a.sums[i] === sum) count += a.paths[i++] as number;
    if (b.sums[j] === sum) count += b.paths[j++] as number;
    sums.push(sum);
    paths.push(count);
  }
  return { sums, paths, beyond: a.beyond + b.beyond };
}

function advanced(start: PathSums, square: number, limit: number): PathSums {
  const kept = start.sums.findLastIndex((sum) => sum + square < limit) + 1;
  const { paths, beyond } = start;
  return {
    sums: start.sums.slice(0, kept).map((sum) => sum + square),
    paths: paths.slice(0, kept),
    beyond: paths.slice(kept).reduce((total, count) => total + count, beyond),
  };
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
