// The limit law of Anderson and Darling's A^2 under the null: sum over j of Z_j^2 / (j (j + 1)) for
// independent standard normal Z_j.

/** Midpoint nodes per interval: the integrand is smooth in the angle, so 64 give 1e-13. */
const NODES = 64;
const INTERVALS_MAX = 60;

/**
 * P(A^2 > x) by Smirnov's alternating series, 1/pi sum_j (-1)^(j+1) I_j, with I_j the integral
 * over t from (2j-1) 2j to 2j (2j+1) of exp(-x t / 2) / (t sqrt(-D(t))). Here D(t) is the product
 * of 1 - t / (k (k+1)), which is -cos(pi w / 2) / (pi t) with w = sqrt(1 + 4 t). In the angle of
 * w = 4j - cos(angle) the end points are no longer singular. Relative accuracy is kept in the upper
 * tail. O(1).
 *
 * @param x any number; 1 where x is at most .03, to 1e-16
 */
export function andersonDarlingUpper(x: number): number {
  if (Number.isNaN(x)) return Number.NaN;
  if (x <= 0.03) return 1;
  let sum = 0;
  for (let j = 1; j <= INTERVALS_MAX; j++) {
    let part = 0;
    for (let node = 0; node < NODES; node++) {
      const angle = ((node + 0.5) * Math.PI) / NODES;
      const w = 4 * j - Math.cos(angle);
      const t = (w * w - 1) / 4;
      const weight = Math.sqrt(Math.PI / (t * Math.cos((Math.PI / 2) * Math.cos(angle))));
      part += Math.exp((-x * t) / 2) * weight * (w / 2) * Math.sin(angle);
    }
    sum += j % 2 === 1 ? part : -part;
    if (part < 1e-18 * sum) break;
  }
  return Math.min(1, sum / NODES);
}
