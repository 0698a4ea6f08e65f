/** `/api/v1/drifts`: what drifts now, what moved beside it, and which segments made it so. */
import type { Contributions } from "../evaluate/contributions.js";
import { rankedSignals } from "../evaluate/contributions.js";
import type { Verdict } from "../evaluate/verdict.js";

/** One entry for each model version and window length in which something is in alarm. */
export function driftsJson(
  verdicts: readonly Verdict[],
  contributions: Contributions,
): readonly object[] {
  const groups = new Map<string, Verdict[]>();
  for (const verdict of verdicts) {
    const { model, version } = verdict.signal;
    const key = JSON.stringify([model, version, verdict.window]);
    groups.set(key, [...(groups.get(key) ?? []), verdict]);
  }
  return [...groups.values()].flatMap((group) => {
    const drifted = group.filter(({ drift }) => drift.alarm === "drifted");
    const [first] = drifted;
    if (first === undefined) return [];
    const { model, version } = first.signal;
    const origins = drifted.flatMap((verdict) => {
      if (verdict.signal.segment !== "") return [];
      const origin = contributions.originOf(verdict);
      if (origin === undefined) return [];
      const { signal, ...rest } = origin;
      return [{ signal: signal.name, ...rest }];
    });
    const inSegments = drifted.filter(({ signal }) => signal.segment !== "");
    return [
      {
        model,
        version,
        window: first.window,
        signals: rankedSignals(group),
        origins,
        segments: inSegments.map(({ signal }) => ({
          signal: signal.name,
          segment: signal.segment,
        })),
      },
    ];
  });
}
