/** What of a verdict is worth telling: a drift as long as it lasts, and changes of an alarm. */
import type { DriftFinding } from "../drift-finding.js";
import { isAlarm } from "../drift-finding.js";
import type { Verdict } from "./verdict.js";
import { sentenceOf } from "./verdict.js";

/** The finding of a window that has just been judged; undefined when there is nothing to tell. */
export function findingOf(verdict: Verdict, before: string): DriftFinding | undefined {
  const { signal, window, startMs, endMs, reference, drift, evaluation, exemplars } = verdict;
  const { status } = drift;
  const isChange = status !== before && (isAlarm(status) || isAlarm(before));
  if (!isChange && status !== "drifted") return undefined;
  const { method, statistic: score, threshold, pValue, n, m } = evaluation;
  return {
    signal,
    window,
    startMs,
    endMs,
    reference,
    status,
    before,
    method,
    score,
    threshold,
    pValue,
    referenceCount: n,
    liveCount: m,
    sentence: sentenceOf(verdict),
    exemplars: exemplars ?? [],
  };
}
