// What one window shows. How outcomes become a state with hysteresis is drift-state.ts.

/**
 * - `learning`: the spread of windows is not known yet, so no level can be promised
 * - `silent`: no live value at all
 * - `insufficient`: too few rows to see a large drift; never called stable
 * - `stable`: a large drift would have been seen, and none above the floor was
 * - `warning`: above the floor at the warning's level
 * - `drifted`: above the floor at the alarm's level
 */
export type DriftOutcome =
  | "learning"
  | "silent"
  | "insufficient"
  | "stable"
  | "warning"
  | "drifted";

/** The facts from which an outcome follows. */
export interface OutcomeFacts {
  readonly learning: boolean;
  readonly liveCount: number;
  readonly pValue: number;
  readonly alpha: number;
  readonly warningAlpha: number;
  /** Live rows needed to see a large drift; Infinity when the reference is too small. */
  readonly needed: number;
}

/** Evidence first: a window that rejects is drifted however few rows it has. */
export function driftOutcome(facts: OutcomeFacts): DriftOutcome {
  if (facts.liveCount === 0) return "silent";
  if (facts.learning) return "learning";
  if (facts.pValue <= facts.alpha) return "drifted";
  if (facts.pValue <= facts.warningAlpha) return "warning";
  return facts.liveCount < facts.needed ? "insufficient" : "stable";
}
