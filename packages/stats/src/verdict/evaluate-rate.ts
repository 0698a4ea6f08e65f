// The verdict on a rate (missing, error, rejection): h = 2 |asin sqrt p - asin sqrt q| with an
// effect floor h0, because the arcsine makes the variance of a rate the same everywhere.
//
// How far into the tail the normal law of h can be trusted depends on the events: its skewness
// multiplies a tail at z by about exp(z^3 / (12 sqrt(events))), which is to stay below the two that
// a two-sided p-value has to spare on the boundary of the floor. Below (z/2)^6 expected events, z
// being the quantile of alpha, or below five, the exact tests decide: Fisher's without a floor, the
// likelihood ratio with one (Fisher's knows no floor: just above it, it rejects too often).

import { normalUpper, normalUpperQuantile } from "../distributions/distribution-tails.js";
import { fisherExact } from "../two-sample/fisher-exact.js";
import { type DriftOutcome, driftOutcome } from "./drift-outcome.js";
import type { DriftPolicy } from "./drift-policy.js";
import { effectiveSize, requiredLiveCount } from "./effective-size.js";
import { likelihoodCritical, rateFloorPValue } from "./rate-floor.js";
import { lackingClause, NOT_ESTABLISHED, percent, prefixed } from "./verdict-sentence.js";

/** Events among rows. */
export interface EventRate {
  readonly events: number;
  readonly rows: number;
}

export interface RateComparison {
  /** What people call the rate, such as "wind missing"; opens the sentence. */
  readonly name?: string;
  readonly reference: EventRate;
  readonly live: EventRate;
  readonly policy: DriftPolicy;
  /** phi of either side, >= 1 (default 1). */
  readonly phi?: { readonly reference?: number; readonly live?: number };
  readonly learning?: boolean;
  /** True for the facts alone: no sentence. */
  readonly brief?: boolean;
}

/** Plain data. NaN where nothing was seen. */
export interface RateEvaluation {
  readonly method: "arcsine" | "fisher" | "likelihood";
  readonly outcome: DriftOutcome;
  /** h, in [0, pi]. */
  readonly statistic: number;
  /** h less the margin at alpha, at least 0. */
  readonly lowerBound: number;
  /** Valid at alpha and above. */
  readonly pValue: number;
  /** h0 plus the margin at alpha: exact for the arcsine, a guide for the other methods. */
  readonly threshold: number;
  /** h0. */
  readonly floor: number;
  readonly alpha: number;
  readonly n: number;
  readonly m: number;
  readonly nEffective: number;
  readonly phi: { readonly reference: number; readonly live: number };
  /** Live rows needed to see `largeDriftFactor` floors with 90 % power. */
  readonly needed: number;
  /** h < h0. */
  readonly belowFloor: boolean;
  readonly sentence: string;
}

/** Expected events on either side below which the exact test decides. */
const EXPECTED_EVENTS_MIN = 5;
const POWER_QUANTILE_90 = 1.2815515655446004;
/** h worth seeing when the floor is 0. */
const POINT_NULL_TARGET = 0.1;

/** Compares a window's rate with the reference's. @throws RangeError on impossible counts */
export function evaluateRate(comparison: RateComparison): RateEvaluation {
  const { reference, live, policy, learning = false, brief = false } = comparison;
  assertRate(reference);
  assertRate(live);
  const phi = { reference: comparison.phi?.reference ?? 1, live: comparison.phi?.live ?? 1 };
  const sides = {
    reference: { count: reference.rows, inflation: phi.reference },
    live: { count: live.rows, inflation: phi.live },
  };
  const nEffective = effectiveSize(sides.reference, sides.live);
  const floor = policy.rateFloor;
  const silent = live.rows === 0;
  const statistic = silent ? Number.NaN : arcsineDistance(reference, live);
  const method = methodFor(comparison, phi);
  const critical = criticalValue(method, policy.alpha);
  const margin = critical / Math.sqrt(nEffective);
  const pValue = silent ? Number.NaN : rateTail(method, comparison, phi);
  const target = floor > 0 ? policy.largeDriftFactor * floor : POINT_NULL_TARGET;
  const required = ((critical + POWER_QUANTILE_90) / (Math.min(target, Math.PI) - floor)) ** 2;
  const needed = requiredLiveCount(required, sides.reference, { inflation: phi.live });
  const outcome = driftOutcome({ ...policy, learning, liveCount: live.rows, pValue, needed });
  return {
    method,
    outcome,
    statistic,
    lowerBound: Math.max(0, statistic - margin),
    pValue,
    threshold: floor + margin,
    floor,
    alpha: policy.alpha,
    n: reference.rows,
    m: live.rows,
    nEffective,
    phi,
    needed,
    belowFloor: statistic < floor,
    sentence: brief
      ? ""
      : prefixed(comparison.name, rateClause(comparison, outcome, needed, statistic < floor)),
  };
}

/** h = 2 |asin sqrt p - asin sqrt q| with p = (x + 3/8)/(n + 3/4) (Anscombe). */
export function arcsineDistance(reference: EventRate, live: EventRate): number {
  return 2 * Math.abs(arcsine(reference) - arcsine(live));
}

function arcsine(rate: EventRate): number {
  return Math.asin(Math.sqrt((rate.events + 0.375) / (rate.rows + 0.75)));
}

/** The smallest of the four expected counts under one common rate. */
function expectedEvents(reference: EventRate, live: EventRate): number {
  const all = reference.rows + live.rows;
  const events = reference.events + live.events;
  const rarer = Math.min(events, all - events);
  return (rarer * Math.min(reference.rows, live.rows)) / all;
}

type Method = RateEvaluation["method"];
type Phi = RateEvaluation["phi"];

function methodFor({ reference, live, policy }: RateComparison, phi: Phi): Method {
  if (reference.rows === 0 || live.rows === 0) return "arcsine";
  const [a, b] = [thinned(reference, phi.reference), thinned(live, phi.live)];
  const enough = Math.max(EXPECTED_EVENTS_MIN, (normalUpperQuantile(policy.alpha / 2) / 2) ** 6);
  if (expectedEvents(a, b) >= enough) return "arcsine";
  return policy.rateFloor > 0 ? "likelihood" : "fisher";
}

/** Standard errors of h between the floor and a rejection. */
function criticalValue(method: Method, alpha: number): number {
  if (method === "likelihood") return Math.sqrt(2 * likelihoodCritical(alpha));
  return normalUpperQuantile(alpha / 2);
}

function rateTail(method: Method, { reference, live, policy }: RateComparison, phi: Phi): number {
  const floor = policy.rateFloor;
  if (method === "arcsine") {
    const excess = Math.max(0, arcsineDistance(reference, live) - floor);
    const nEffective = 1 / (phi.reference / reference.rows + phi.live / live.rows);
    return Math.min(1, 2 * normalUpper(Math.sqrt(nEffective) * excess));
  }
  const [a, b] = [thinned(reference, phi.reference), thinned(live, phi.live)];
  if (method === "likelihood") return rateFloorPValue(a.events, a.rows, b.events, b.rows, floor);
  const [x, y] = [Math.round(a.events), Math.round(b.events)];
  return fisherExact(x, x + Math.round(a.rows - a.events), y, y + Math.round(b.rows - b.events));
}

/** Counts divided by phi: dependent rows count for fewer. */
function thinned(rate: EventRate, phi: number): EventRate {
  return { events: rate.events / phi, rows: rate.rows / phi };
}

function rateClause(
  comparison: RateComparison,
  outcome: DriftOutcome,
  needed: number,
  belowFloor: boolean,
): string {
  const { reference, live } = comparison;
  if (outcome === "silent") return "no live row in this window";
  if (outcome === "insufficient") return lackingClause(live.rows, needed, reference.rows);
  if (outcome === "learning") return "still learning how much its windows vary";
  const now = percent(live.events / live.rows);
  const before = percent(reference.events / reference.rows);
  const rates = `${now} of live rows (reference ${before})`;
  if (outcome !== "stable") return rates;
  return belowFloor ? `no relevant change, ${rates}` : `${NOT_ESTABLISHED}, ${rates}`;
}

function assertRate(rate: EventRate): void {
  const { events, rows } = rate;
  if (Number.isInteger(events) && Number.isInteger(rows) && events >= 0 && events <= rows) return;
  throw new RangeError(`${events} events of ${rows} rows are not counts`);
}
