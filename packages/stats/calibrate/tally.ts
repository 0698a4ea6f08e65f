/**
 * What an experiment counts, and whether it stays within its band: at most alpha and the 99.9 %
 * point of the binomial law with that alpha.
 */

/** Levels that every test is held to. */
export const ALPHAS = [0.05, 0.01, 1e-3, 1e-4, 1e-5] as const;

/** Rejections of one test in one case, at each of `ALPHAS`. */
export interface LevelCell {
  readonly test: string;
  readonly law: string;
  /** Rows of the reference and of the window, as written. */
  readonly rows: string;
  trials: number;
  readonly rejections: number[];
}

/** A figure with a goal, such as a delay or a power. */
export interface Figure {
  readonly name: string;
  readonly value: string;
  readonly goal: string;
  readonly holds: boolean;
}

/** What one part of an experiment hands back; plain, so that it crosses threads. */
export interface Outcome {
  readonly cells: readonly LevelCell[];
  readonly figures: readonly Figure[];
}

export function newCell(test: string, law: string, rows: string): LevelCell {
  return { test, law, rows, trials: 0, rejections: ALPHAS.map(() => 0) };
}

/** Counts one p-value; NaN and undefined (a test that did not apply) are not counted. */
export function count(cell: LevelCell, pValue: number | undefined): void {
  if (pValue === undefined || Number.isNaN(pValue)) return;
  cell.trials++;
  for (const [i, alpha] of ALPHAS.entries()) {
    if (pValue <= alpha) cell.rejections[i] = (cell.rejections[i] ?? 0) + 1;
  }
}

/** Adds up cells of the same test, law and rows, in the order in which they first appear. */
export function joined(cells: Iterable<LevelCell>): LevelCell[] {
  const byKey = new Map<string, LevelCell>();
  for (const cell of cells) {
    const key = [cell.test, cell.law, cell.rows].join("\u0000");
    const sum = byKey.get(key) ?? newCell(cell.test, cell.law, cell.rows);
    sum.trials += cell.trials;
    for (const [i, more] of cell.rejections.entries()) {
      sum.rejections[i] = (sum.rejections[i] ?? 0) + more;
    }
    byKey.set(key, sum);
  }
  return [...byKey.values()];
}

/** - `above`: more rejections than the band; `conservative`: fewer than it; `within`: else. */
export type BandJudgement = "above" | "within" | "conservative";

/** Judges `rejections` of `trials` at level `alpha`. */
export function judged(rejections: number, trials: number, alpha: number): BandJudgement {
  if (rejections > binomialPoint(trials, alpha, 0.999)) return "above";
  return rejections < binomialPoint(trials, alpha, 0.001) ? "conservative" : "within";
}

/** The smallest k with P(Binomial(n, p) <= k) >= q. */
export function binomialPoint(n: number, p: number, q: number): number {
  let [logChance, below] = [n * Math.log1p(-p), 0];
  const odds = p / (1 - p);
  for (let k = 0; k <= n; k++) {
    below += Math.exp(logChance);
    if (below >= q) return k;
    logChance += Math.log(((n - k) / (k + 1)) * odds);
  }
  return n;
}
