// The verdict in words. Among quantiles, extremes, central intervals and single values it names
// the one whose live share departs most from the reference's, measured by the divergence
// KL(live share || expected share): the evidence per row that this one fact carries.

import type { GridSummary } from "../summaries/grid-summary.js";
import type { ReferenceGrid } from "../summaries/reference-grid.js";
import type { DriftOutcome } from "./drift-outcome.js";

export interface NumericSentenceFacts {
  readonly name?: string;
  readonly reference: ReferenceGrid;
  readonly live: GridSummary;
  readonly outcome: DriftOutcome;
  /** D. */
  readonly distance: number;
  /** Edge at which D is reached. */
  readonly edge: number;
  readonly needed: number;
  /** delta0. */
  readonly floor: number;
}

/** A fact about shares: `live` of the live rows are where `expected` of the reference is. */
interface ShareFact {
  readonly live: number;
  readonly expected: number;
  readonly where: string;
}

const PERCENTILES = [1, 5, 10, 25, 50, 75, 90, 95, 99];
/** A percentile is named only when an edge lies within this share of it. */
const PERCENTILE_SLACK = 0.005;
const INTERVALS = [50, 80, 90];

/** One line without a full stop; opens with the signal's name when there is one. */
export function numericSentence(facts: NumericSentenceFacts): string {
  return prefixed(facts.name, numericClause(facts));
}

/** Of a stable window whose distance lies above the floor, but not significantly. */
export const NOT_ESTABLISHED = "no change above the floor is established";

/** "38 %", "5.1 %", "< 0.1 %". */
export function percent(share: number): string {
  const value = 100 * share;
  if (value > 0 && value < 0.1) return "< 0.1 %";
  if (value < 100 && value > 99.9) return "> 99.9 %";
  const digits = value < 10 || value > 90 ? 1 : 0;
  return `${Number(value.toFixed(digits))} %`;
}

/** Hundredths, as people say percentage points: "9.9 points". */
function points(share: number): string {
  const value = Number((100 * share).toPrecision(2));
  return `${value} ${value === 1 ? "point" : "points"}`;
}

/** What a window that could not be judged lacks. */
export function lackingClause(m: number, needed: number, n: number): string {
  if (needed === Infinity) {
    return `the reference's ${rows(n)} are too few to judge, however many live values arrive`;
  }
  return `only ${rows(m)} in this window, ${needed} are needed to see a large change`;
}

/** "1 value", "20 values". */
function rows(count: number): string {
  return `${count} ${count === 1 ? "value" : "values"}`;
}

export function prefixed(name: string | undefined, clause: string): string {
  return name === undefined ? clause : `${name}: ${clause}`;
}

/** Bernoulli KL(live || expected) in nats; `expected` strictly inside (0, 1). */
export function shareDivergence(live: number, expected: number): number {
  return divergenceTerm(live, expected) + divergenceTerm(1 - live, 1 - expected);
}

function divergenceTerm(p: number, q: number): number {
  return p > 0 ? p * Math.log(p / q) : 0;
}

function numericClause(facts: NumericSentenceFacts): string {
  const { outcome, live, reference, needed } = facts;
  if (outcome === "silent") return "no live value in this window";
  if (outcome === "insufficient") return lackingClause(live.count, needed, reference.count);
  if (outcome === "learning") return "still learning how much its windows vary";
  if (outcome === "stable") {
    const within = `cumulative shares differ by at most ${points(facts.distance)}`;
    const floor = points(facts.floor);
    if (facts.distance <= facts.floor) return `no relevant change, ${within} (floor ${floor})`;
    return `no change above the floor of ${floor} is established, ${within}`;
  }
  const fact = mostTelling(reference, live);
  return `${percent(fact.live)} of live values ${fact.where} (expected ${percent(fact.expected)})`;
}

function mostTelling(reference: ReferenceGrid, live: GridSummary): ShareFact {
  const n = reference.count;
  let best: ShareFact | undefined;
  let bestScore = -1;
  for (const fact of candidateFacts(reference, live)) {
    // As if ten more rows had been there: a share of 0 in a small reference is no certainty.
    const guarded = (fact.expected * n + 5) / (n + 10);
    const score = shareDivergence(fact.live, guarded);
    if (score > bestScore) {
      best = fact;
      bestScore = score;
    }
  }
  return best as ShareFact;
}

function candidateFacts(reference: ReferenceGrid, live: GridSummary): ShareFact[] {
  const shares = cumulativeShares(reference.counts, reference.count);
  const liveShares = cumulativeShares(live.counts, live.count);
  const last = reference.edges.length - 1;
  const facts: ShareFact[] = [
    { live: 1 - at(liveShares, last), expected: 0, where: "lie above the reference's maximum" },
  ];
  if (shares[0] === 0) {
    facts.push({
      live: at(liveShares, 0),
      expected: 0,
      where: "lie below the reference's minimum",
    });
  }
  for (const percentile of PERCENTILES) {
    const edge = edgeNear(shares, percentile / 100);
    if (edge < 0) continue;
    const [below, expected] = [at(liveShares, edge), at(shares, edge)];
    const of = `the reference's ${ordinal(percentile)} percentile`;
    // The smaller expected side reads better: "above the 95th", not "below the 95th".
    const above = { live: 1 - below, expected: 1 - expected, where: `lie above ${of}` };
    const under = { live: below, expected, where: `lie at or below ${of}` };
    if (percentile === 50) facts.push(below < expected ? above : under);
    else facts.push(percentile > 50 ? above : under);
  }
  for (const middle of INTERVALS) {
    const low = edgeNear(shares, 0.5 - middle / 200);
    const high = edgeNear(shares, 0.5 + middle / 200);
    if (low < 0 || high < 0) continue;
    const inside = at(liveShares, high) - at(liveShares, low);
    const expected = at(shares, high) - at(shares, low);
    const of = `the reference's middle ${middle} %`;
    if (inside > expected) facts.push({ live: inside, expected, where: `lie in ${of}` });
    else facts.push({ live: 1 - inside, expected: 1 - expected, where: `lie outside ${of}` });
  }
  for (let bin = 1; bin <= last; bin++) {
    if (!reference.isAtom(bin) || (reference.counts[bin] as number) === 0) continue;
    const observed = (live.counts[bin] as number) / live.count;
    const expected = (reference.counts[bin] as number) / reference.count;
    facts.push({ live: observed, expected, where: `are ${shortNumber(at(reference.edges, bin))}` });
  }
  return facts;
}

function cumulativeShares(counts: Uint32Array, total: number): Float64Array {
  const shares = new Float64Array(counts.length);
  let below = 0;
  for (let bin = 0; bin < counts.length; bin++) {
    below += counts[bin] as number;
    shares[bin] = below / total;
  }
  return shares;
}

/** The edge whose reference share is nearest to `q`, or -1 when none is near enough to be named. */
function edgeNear(shares: Float64Array, q: number): number {
  let best = -1;
  let bestGap = PERCENTILE_SLACK;
  for (let edge = 0; edge + 1 < shares.length; edge++) {
    const gap = Math.abs(at(shares, edge) - q);
    if (gap <= bestGap && gap < PERCENTILE_SLACK) {
      best = edge;
      bestGap = gap;
    }
  }
  return best;
}

function at(values: Float64Array, index: number): number {
  return values[index] as number;
}

function ordinal(percentile: number): string {
  return percentile === 1 ? "1st" : `${percentile}th`;
}

function shortNumber(x: number): string {
  return String(Number(x.toPrecision(6)));
}
