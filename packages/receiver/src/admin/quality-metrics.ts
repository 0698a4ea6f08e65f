/**
 * What Jaeger's own page of trace quality asks for: a score, and a card for each signal with its
 * verdicts and with traces that show what is wrong.
 * https://github.com/jaegertracing/jaeger-ui (components/QualityMetrics/types)
 */
import type { Verdict } from "../evaluate/verdict.js";
import { sentenceOf } from "../evaluate/verdict.js";
import type { Exemplar } from "../exemplar.js";
import type { AdminAnswer } from "./admin-server.js";

const HOUR_MS = 3_600_000;
const HOURS_MAX = 24 * 366;
/** Cards of one page: the drifting signals come first, and a browser draws no more with ease. */
const CARDS_MAX = 500;
const COLUMNS = ["Window", "Until", "Verdict", "Test", "Distance", "Threshold", "p"];

/** What is known of a model, as far as it is asked for here. */
interface ServedModel {
  readonly model: string;
  readonly version: string;
  readonly services: ReadonlySet<string>;
}

/** What the answer is made from. */
export interface QualitySources {
  readonly verdicts: readonly Verdict[];
  readonly models: readonly ServedModel[];
  /** The service that findings are told as: it stands for all models. */
  readonly ownService: string;
  /** The address under which playbooks are found. */
  readonly playbooks: string;
}

/**
 * Answers `?service=NAME&hours=N` from the verdicts of that time on models of the service; without
 * a service on all.
 */
export function qualityMetrics(
  { verdicts, models, ownService, playbooks }: QualitySources,
  query: URLSearchParams,
  nowMs: number,
): AdminAnswer {
  const service = query.get("service") ?? "";
  const ofService = models.filter(({ services }) => services.has(service));
  const served = new Set(ofService.map(keyOf));
  const isServed =
    service === "" || service === ownService ? () => true : (key: string) => served.has(key);
  const hours = Number(query.get("hours") ?? "48");
  if (!Number.isInteger(hours) || hours < 1 || hours > HOURS_MAX) {
    return { status: 400, body: { error: `hours must be a whole number from 1 to ${HOURS_MAX}` } };
  }
  const bySignal = new Map<string, Verdict[]>();
  for (const verdict of verdicts) {
    if (verdict.endMs < nowMs - hours * HOUR_MS || !isServed(keyOf(verdict.signal))) continue;
    const key = JSON.stringify(Object.values(verdict.signal));
    bySignal.set(key, [...(bySignal.get(key) ?? []), verdict]);
  }
  const signals = [...bySignal.values()].toSorted((a, b) => drifted(b) - drifted(a));
  const sound = signals.filter((ofSignal) => drifted(ofSignal) === 0).length;
  const score = { key: "drift", label: "Signals without drift", max: signals.length, value: sound };
  return {
    status: 200,
    body: {
      traceQualityDocumentationLink: playbooks,
      bannerText: bannerOf(signals.length, sound),
      // The page shows shares, and of nothing there is none.
      scores: signals.length === 0 ? [] : [score],
      metrics: signals
        .slice(0, CARDS_MAX)
        .map((ofSignal) => cardOf(ofSignal, playbooks, signals.length)),
    },
  };
}

function keyOf({ model, version }: { model: string; version: string }): string {
  return JSON.stringify([model, version]);
}

function drifted(verdicts: readonly Verdict[]): number {
  return verdicts.filter(({ drift }) => drift.alarm === "drifted").length;
}

function bannerOf(count: number, sound: number): string {
  if (count === 0) return "Tidemark has judged no signal in this time.";
  if (sound === count) return `None of ${count} signals drifts.`;
  return `${count - sound} of ${count} signals ${count - sound === 1 ? "drifts" : "drift"}.`;
}

function cardOf(verdicts: readonly Verdict[], playbooks: string, count: number): object {
  const [first] = verdicts as readonly [Verdict, ...Verdict[]];
  const { signal } = first;
  const failureCount = drifted(verdicts);
  const worst = verdicts.find(({ drift }) => drift.alarm === "drifted") ?? first;
  const examples = failureCount === 0 ? [] : (worst.exemplars ?? []);
  return {
    name: `${signal.model} ${signal.version} ${signal.name} ${signal.segment}`
      .replaceAll(/ +/g, " ")
      .trimEnd(),
    category: "drift",
    description: sentenceOf(worst),
    metricDocumentationLink: `${playbooks}/MlDriftDetected`,
    metricWeight: 1 / count,
    passCount: verdicts.length - failureCount,
    failureCount,
    failureExamples: examplesOf(examples),
    details: [{ header: "Windows", columns: COLUMNS, rows: verdicts.map(rowOf) }],
  };
}

/** By trace, as the page's link has each once. */
function examplesOf(exemplars: readonly Exemplar[]): object[] {
  const spans = new Map<string, Set<string>>();
  for (const { traceId, spanId } of exemplars) {
    spans.set(traceId, (spans.get(traceId) ?? new Set()).add(spanId));
  }
  return [...spans].map(([traceID, spanIDs]) => ({ traceID, spanIDs: [...spanIDs] }));
}

function rowOf({ window, endMs, drift, evaluation }: Verdict): Record<string, string> {
  const { method, statistic, threshold, pValue } = evaluation;
  const values = [
    window,
    new Date(endMs).toISOString(),
    drift.status,
    method,
    shown(statistic),
    shown(threshold),
    shown(pValue),
  ];
  return Object.fromEntries(COLUMNS.map((column, at) => [column, values[at] ?? ""]));
}

function shown(value: number): string {
  return Number.isFinite(value) ? value.toPrecision(3) : "-";
}
