/** The common form of all experiments: seeded parts that can run on any thread, in any order. */
import { type DriftPolicy, driftPolicy } from "../dist/index.js";
import type { Outcome } from "./tally.ts";

export interface Experiment {
  readonly name: string;
  /** Parts of the whole; each has its own seed, so the sum does not depend on who runs which. */
  readonly parts: number;
  run(part: number): Outcome;
}

/** A policy with the given level and shift; `alpha` in (0, .05]. */
export function policyAt(alpha: number, shift: number): DriftPolicy {
  // One evaluation a year: the promise is the level.
  return driftPolicy({
    falseAlarmsPerFeatureYear: alpha,
    warningsPerFeatureYear: alpha,
    evaluationMinutes: 525_960,
    windowLengths: 1,
    shift,
  });
}

/** Seed of a part; experiments are told apart by name. */
export function seedOf(name: string, part: number): number {
  let hash = 0x811c9dc5;
  for (const letter of `${name} ${part}`) {
    hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 0x01000193);
  }
  return hash >>> 0;
}

/** "1e3", "50", "2e4": as short as it can be read. */
export function shortCount(count: number): string {
  return count < 1000 ? String(count) : count.toExponential().replace("+", "").replace(".0e", "e");
}
