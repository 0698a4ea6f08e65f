/** Data beside a reference, signal by signal, under the rules by which the receiver judges. */
import type { DriftOutcome, DriftPolicy } from "@tidemark/stats";
import {
  adjustedPValues,
  evaluateCategorical,
  evaluateNumeric,
  evaluateRate,
  GridSummary,
} from "@tidemark/stats";
import type { CurrentData, CurrentSignal } from "./current-data.js";
import type { Reference } from "./reference.js";
import type { ReferenceFile } from "./reference-file.js";

/** What a comparison can find; `absent` is a signal that only the reference has, `new` the rest. */
export type ComparedState = DriftOutcome | "absent" | "new";

/** One test of one signal; numbers that do not exist are NaN. */
export interface ComparedSignal {
  readonly signal: string;
  /** What is compared: the values, the share of rows without one, or their type. */
  readonly of: "values" | "missing" | "type";
  readonly state: ComparedState;
  readonly method: string;
  readonly statistic: number;
  /** The window is drifted when the statistic exceeds this. */
  readonly threshold: number;
  readonly floor: number;
  /** Statistic over threshold: what signals are ranked by. */
  readonly ratio: number;
  readonly pValue: number;
  /** By Benjamini and Hochberg over all tests: how much of the list may be chance. */
  readonly adjustedPValue: number;
  /** Population stability index, for display. */
  readonly psi: number;
  readonly referenceCount: number;
  readonly currentCount: number;
  /** Rows that it takes to see a large drift. */
  readonly needed: number;
  readonly sentence: string;
}

/** What is worth reading first. */
const URGENCY: readonly ComparedState[] = [
  "drifted",
  "warning",
  "absent",
  "silent",
  "insufficient",
];

/** Compares all signals; the most telling first. */
export function compareSignals(
  reference: ReferenceFile,
  current: CurrentData,
  policy: DriftPolicy,
): ComparedSignal[] {
  const found = [...reference.signals].flatMap(([signal, expected]) => {
    const live = current.signals.get(signal);
    if (live === undefined) return [named(signal, "absent", "is in the reference only")];
    return compareSignal({ signal, expected, live, policy });
  });
  const adjusted = adjustedPValues(found.map(({ pValue }) => (pValue >= 0 ? pValue : 1)));
  const ranked = found.map((one, i): ComparedSignal => {
    return { ...one, adjustedPValue: one.pValue >= 0 ? (adjusted[i] as number) : Number.NaN };
  });
  const unknown = current.unknown.map((signal) => named(signal, "new", "is not in the reference"));
  return [...ranked.toSorted(byUrgency), ...unknown];
}

function byUrgency(a: ComparedSignal, b: ComparedSignal): number {
  const rank = ({ state }: ComparedSignal) => {
    const at = URGENCY.indexOf(state);
    return at < 0 ? URGENCY.length : at;
  };
  return rank(a) - rank(b) || (b.ratio || 0) - (a.ratio || 0);
}

interface Pair {
  readonly signal: string;
  readonly expected: Reference;
  readonly live: CurrentSignal;
  readonly policy: DriftPolicy;
}

function compareSignal(pair: Pair): ComparedSignal[] {
  const { signal, expected, live } = pair;
  const { summary, invalid } = live;
  if (summary.count === 0 && invalid > 0) {
    const kinds = { numeric: ["numbers", "text"], categorical: ["categories", "numbers"] };
    const [before, now] = kinds[expected.kind] as [string, string];
    const sentence = `held ${before} and holds ${now}`;
    return [{ ...named(signal, "drifted", sentence), of: "type", currentCount: invalid }];
  }
  const values = compareValues(pair);
  const lacking = live.missing + invalid;
  return expected.missing + lacking === 0 ? [values] : [values, compareMissing(pair, lacking)];
}

function compareValues({ signal, expected, live, policy }: Pair): ComparedSignal {
  const { summary, epsilon } = live;
  if (expected.kind === "numeric" && summary instanceof GridSummary) {
    const sides = { reference: expected.grid, live: summary, liveEpsilon: epsilon };
    const { psi, ...evaluation } = evaluateNumeric({ name: signal, ...sides, policy });
    return outcomeOf(signal, "values", { ...evaluation, psi: psi?.value ?? Number.NaN });
  }
  if (expected.kind === "numeric" || summary instanceof GridSummary) {
    throw new TypeError(`${signal}: the summary is not of the reference's kind`);
  }
  const sides = { reference: expected.categories, live: summary };
  return outcomeOf(signal, "values", evaluateCategorical({ name: signal, ...sides, policy }));
}

function compareMissing({ signal, expected, live, policy }: Pair, lacking: number): ComparedSignal {
  const { count } = expected.kind === "numeric" ? expected.grid : expected.categories;
  const evaluation = evaluateRate({
    name: `${signal} missing`,
    reference: { events: expected.missing, rows: expected.missing + count },
    live: { events: lacking, rows: lacking + live.summary.count },
    policy,
  });
  return outcomeOf(signal, "missing", { ...evaluation, psi: Number.NaN });
}

/** What all evaluations have in common. */
interface Evaluated {
  readonly outcome: DriftOutcome;
  readonly method: string;
  readonly statistic: number;
  readonly threshold: number;
  readonly floor: number;
  readonly pValue: number;
  readonly psi: number;
  readonly n: number;
  readonly m: number;
  readonly needed: number;
  readonly sentence: string;
}

function outcomeOf(signal: string, of: ComparedSignal["of"], found: Evaluated): ComparedSignal {
  const { method, statistic, threshold, floor, pValue, psi, needed, sentence } = found;
  return {
    signal,
    of,
    state: found.outcome,
    method,
    statistic,
    threshold,
    floor,
    ratio: statistic / threshold,
    pValue,
    adjustedPValue: Number.NaN,
    psi,
    referenceCount: found.n,
    currentCount: found.m,
    needed,
    sentence,
  };
}

/** A finding without numbers. */
function named(signal: string, state: ComparedState, what: string): ComparedSignal {
  const none = Number.NaN;
  return {
    signal,
    of: "values",
    state,
    method: "",
    statistic: none,
    threshold: none,
    floor: none,
    ratio: none,
    pValue: none,
    adjustedPValue: none,
    psi: none,
    referenceCount: 0,
    currentCount: 0,
    needed: none,
    sentence: `${signal} ${what}`,
  };
}
