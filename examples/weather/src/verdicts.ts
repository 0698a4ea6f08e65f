/** The receiver's verdicts, as its API tells them, and what they should be. */
import { setTimeout as sleep } from "node:timers/promises";
import type { TumblingWindow } from "./tumbling-window.js";

/** One entry of `GET /api/v1/verdicts`, as far as the demo looks at it. */
export interface Verdict {
  readonly model: string;
  readonly version: string;
  readonly signal: string;
  readonly windowStartMs: number;
  readonly state: string;
  readonly method: string;
  readonly statistic: number | null;
  readonly threshold: number | null;
  readonly pValue: number | null;
  readonly liveCount: number;
  readonly psi?: { readonly value: number };
  readonly sentence: string;
}

/** The signals of the model, in the order in which they are shown. */
export const SIGNALS = [
  "feature.precipitation",
  "feature.wind",
  "feature.temp_min",
  "feature.season",
  "prediction.value",
] as const;

type Signal = (typeof SIGNALS)[number];

/** What a phase must bring. */
export interface Expectation {
  /** Days that were sent, and so values of every signal. */
  readonly count: number;
  readonly drifted: readonly Signal[];
  /** Must not drift; signals in neither list may do either. */
  readonly notDrifted: readonly Signal[];
}

const POLL_MS = 200;
/** Beyond the window's end: lateness, idle timeout, and a machine that is busy. */
const PATIENCE_MS = 20_000;

/**
 * Waits until the receiver has judged every signal of the model in this window.
 * @param watch throws when it is no use to wait on
 * @throws Error naming the signals that are missing
 */
export async function verdictsOf(
  adminUrl: string,
  model: string,
  window: TumblingWindow,
  watch: () => void,
): Promise<Verdict[]> {
  for (;;) {
    const latest = await fetchVerdicts(adminUrl);
    const found = SIGNALS.flatMap((signal) =>
      latest.filter(
        (verdict) =>
          verdict.model === model &&
          verdict.signal === signal &&
          verdict.windowStartMs === window.startMs,
      ),
    );
    if (found.length >= SIGNALS.length) return found;
    watch();
    if (Date.now() > window.endMs + PATIENCE_MS) {
      const seen = new Set(found.map(({ signal }) => signal));
      const missing = SIGNALS.filter((signal) => !seen.has(signal)).join(", ");
      throw new Error(`the receiver has no verdict on ${missing}`);
    }
    await sleep(POLL_MS);
  }
}

async function fetchVerdicts(adminUrl: string): Promise<Verdict[]> {
  const response = await fetch(`${adminUrl}/api/v1/verdicts`);
  const { verdicts } = (await response.json()) as { verdicts: Verdict[] };
  return verdicts;
}

/** What is not as expected, a sentence each. */
export function complaints(
  phase: string,
  verdicts: readonly Verdict[],
  expected: Expectation,
): string[] {
  return verdicts.flatMap(({ signal, state, liveCount }) => {
    const wrong: string[] = [];
    if (liveCount !== expected.count) {
      wrong.push(`${phase}: ${signal} has ${liveCount} values, not the ${expected.count} sent`);
    }
    const drifted = state === "drifted";
    if (drifted && expected.notDrifted.includes(signal as Signal)) {
      wrong.push(`${phase}: ${signal} is ${state}, and must not be`);
    }
    if (!drifted && expected.drifted.includes(signal as Signal)) {
      wrong.push(`${phase}: ${signal} is ${state}, and must be drifted`);
    }
    return wrong;
  });
}
