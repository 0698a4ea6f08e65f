// Two rates with an effect floor, exactly valid however few the events: the likelihood-ratio
// statistic of "h <= h0" with Chernoff's bound for its law.
//
// With kl the Bernoulli divergence, n kl(X/n, p) restricted to deviations in one direction is at
// least t with probability at most exp(-t) (Chernoff 1952), for every n and p: it is below an
// exponential variable. The two sides are independent, and
//   t = min { n kl(x/n, p) + m kl(y/m, q) : (p, q) within the floor }
// is at most their sum at the truth, hence below a gamma variable of shape 2; two directions give
// p = min(1, 2 (1 + t) exp(-t)). Against a normal law at 1e-7 that costs a sixth of the margin,
// which is why `evaluateRate` uses it only where the normal law cannot be trusted.

/** Halvings of the search for the least favourable rate: to 1e-9 of an angle. */
const SEARCH_STEPS = 45;
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/**
 * p-value of "the two rates are at most `floor` apart", in h = 2 |asin sqrt p - asin sqrt q|.
 *
 * @param x events of `n` > 0 rows, y of `m` > 0; need not be integers
 * @param floor h0 in [0, pi)
 */
export function rateFloorPValue(x: number, n: number, y: number, m: number, floor: number): number {
  const [from, to] = [angle(x / n), angle(y / m)];
  const gap = floor / 2;
  if (Math.abs(from - to) <= gap) return 1;
  const direction = from < to ? 1 : -1;
  // The reference's true angle lies between its own estimate and the floor away from the other's.
  const evidence = (theta: number): number =>
    n * divergence(x / n, rate(theta)) + m * divergence(y / m, rate(theta + direction * gap));
  const t = leastOnInterval(evidence, from, to - direction * gap);
  return likelihoodTail(t);
}

/** 2 (1 + t) exp(-t), at most 1. */
export function likelihoodTail(t: number): number {
  return Math.min(1, 2 * (1 + t) * Math.exp(-t));
}

/** t with likelihoodTail(t) = alpha; alpha in (0, 1). */
export function likelihoodCritical(alpha: number): number {
  // Newton on t - ln(1 + t) = ln(2/alpha), convex, from the right.
  const target = Math.log(2 / alpha);
  let t = target + 2 * Math.sqrt(target) + 1;
  for (let step = 0; step < 20; step++) t -= ((t - Math.log1p(t) - target) * (1 + t)) / t;
  return t;
}

/** Least value of a convex function between two points, by golden sections. */
function leastOnInterval(of: (x: number) => number, a: number, b: number): number {
  let [low, high] = [a, b];
  let inner = high - GOLDEN * (high - low);
  let outer = low + GOLDEN * (high - low);
  let [atInner, atOuter] = [of(inner), of(outer)];
  for (let step = 0; step < SEARCH_STEPS; step++) {
    if (atInner <= atOuter) {
      [high, outer, atOuter] = [outer, inner, atInner];
      inner = high - GOLDEN * (high - low);
      atInner = of(inner);
    } else {
      [low, inner, atInner] = [inner, outer, atOuter];
      outer = low + GOLDEN * (high - low);
      atOuter = of(outer);
    }
  }
  return Math.min(atInner, atOuter);
}

/** kl(observed, assumed) in nats. */
function divergence(observed: number, assumed: number): number {
  return term(observed, assumed) + term(1 - observed, 1 - assumed);
}

function term(p: number, q: number): number {
  return p > 0 ? p * Math.log(p / q) : 0;
}

function angle(share: number): number {
  return Math.asin(Math.sqrt(share));
}

function rate(theta: number): number {
  return Math.sin(theta) ** 2;
}
