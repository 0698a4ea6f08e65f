/**
 * References that move with time: what a signal has counted before, or what another version or
 * segment counts at the same time. They are sums of closed windows on the edges of the signal's own
 * reference, which stays in force where the past has too little to say.
 */
import type { CategoryCounts } from "@tidemark/stats";
import { GridSummary, ReferenceGrid } from "@tidemark/stats";
import { formatDuration } from "../config/quantities.js";
import type { Reference } from "./reference.js";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const WEEK_MS = 7 * DAY_MS;
/** How much of the newest a rolling reference leaves out. */
const EXCLUDED_MS_DEFAULT = DAY_MS;
/** A past of fewer rows than this has too little to say to take the place of what was learned. */
const PAST_ROWS_MIN = 500;

/** Names a signal. */
export interface SignalKey {
  readonly model: string;
  readonly version: string;
  readonly name: string;
  /** The slice of the model's traffic; empty or left out for all of it. */
  readonly segment?: string;
}

/** A stretch of event time, half-open. */
export type TimeRange = readonly [fromMs: number, toMs: number];

/** What has been counted before. */
export interface SummaryHistory {
  /** The reference on whose edges a signal is counted; undefined while it learns. */
  reference(signal: SignalKey): Reference | undefined;
  /** Reads what `sum` is asked for until the next call. */
  prepare(signal: SignalKey, ranges: readonly TimeRange[]): Promise<void>;
  /**
   * What the closed windows of [fromMs, toMs) hold together; undefined when nothing is kept of that
   * time. The caller may change it.
   */
  sum(signal: SignalKey, range: TimeRange): GridSummary | CategoryCounts | undefined;
}

/** Another version, or another segment. */
export interface Counterpart {
  readonly version?: string | undefined;
  readonly segment?: string | undefined;
}

/** A rule of the configuration; the parts of its traffic that are left out are any. */
export interface MovingRule {
  readonly rolling?: number | undefined;
  readonly excluding?: number | undefined;
  readonly sameHour?: number | undefined;
  readonly against?: Counterpart | undefined;
  readonly model?: string | undefined;
  readonly version?: string | undefined;
  readonly segment?: string | undefined;
  readonly signals?: readonly string[] | undefined;
}

/** Whether a rule is about a signal. */
export function concerns(rule: MovingRule, { model, version, name, segment = "" }: SignalKey) {
  const matches = (pattern: string) =>
    pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
  return (
    (rule.model ?? model) === model &&
    (rule.version ?? version) === version &&
    (rule.segment ?? segment) === segment &&
    (rule.signals?.some(matches) ?? true)
  );
}

/** The signal that a rule compares another with; undefined when it is the signal's own past. */
export function counterpart({ against }: MovingRule, signal: SignalKey): SignalKey | undefined {
  if (against === undefined) return undefined;
  const { version = signal.version, segment = signal.segment ?? "" } = against;
  return { ...signal, version, segment };
}

/**
 * The reference that a rule makes.
 * @param base on whose edges the signal is counted, and what holds where nothing else is known
 */
export function movingReference(
  rule: MovingRule,
  signal: SignalKey,
  base: Reference,
  history: SummaryHistory,
): Reference {
  const name = nameOf(rule);
  const other = counterpart(rule, signal) ?? signal;
  // However little the other version says: the verdict then is that it is insufficient.
  const rowsMin = rule.against ? 1 : PAST_ROWS_MIN;
  const at = (startMs: number, endMs: number): Reference | undefined => {
    let sum: GridSummary | CategoryCounts | undefined;
    for (const range of timesOf(rule, startMs, startMs, endMs)) {
      const part = history.sum(other, range);
      if (part !== undefined) sum = sum === undefined ? part : joined(sum, part);
    }
    if (sum === undefined || sum.count < rowsMin) return undefined;
    return onEdgesOf(base, sum, name);
  };
  const prepare = (fromMs: number, toMs: number) =>
    history.prepare(other, timesOf(rule, fromMs, toMs, toMs));
  return { ...base, name, at, prepare };
}

/** The times that windows are compared with that start in [startMs, lastStartMs]. */
function timesOf(
  { rolling, excluding = EXCLUDED_MS_DEFAULT, sameHour }: MovingRule,
  startMs: number,
  lastStartMs: number,
  endMs: number,
): readonly TimeRange[] {
  if (rolling !== undefined) {
    return [[wholeHour(startMs - excluding) - rolling, wholeHour(lastStartMs - excluding)]];
  }
  if (sameHour === undefined) return [[startMs, endMs]];
  // Windows shorter than an hour are compared with the hour that they are in.
  const [fromMs, toMs] = [wholeHour(startMs), wholeHour(endMs + HOUR_MS - 1)];
  return Array.from({ length: sameHour }, (_, week) => {
    const agoMs = (week + 1) * WEEK_MS;
    return [fromMs - agoMs, toMs - agoMs] as const;
  });
}

function wholeHour(ms: number): number {
  return Math.floor(ms / HOUR_MS) * HOUR_MS;
}

function joined<S extends GridSummary | CategoryCounts>(sum: S, part: S): S {
  if (sum instanceof GridSummary && part instanceof GridSummary) sum.merge(part);
  else if (!(sum instanceof GridSummary) && !(part instanceof GridSummary)) sum.merge(part);
  else throw new TypeError("summaries of one signal must be of one kind");
  return sum;
}

/** Undefined when the other side was counted on other edges, or holds something else. */
function onEdgesOf(
  base: Reference,
  sum: GridSummary | CategoryCounts,
  name: string,
): Reference | undefined {
  const origin = { name, provisional: false, missing: sum.missing };
  if (base.kind === "categorical") {
    if (sum instanceof GridSummary) return undefined;
    return { ...base, ...origin, categories: sum };
  }
  if (!(sum instanceof GridSummary) || !sum.grid.hasEdgesOf(base.grid)) return undefined;
  return { ...base, ...origin, grid: ReferenceGrid.fromSummary(sum) };
}

/** How far back a rule looks from the start of a window. */
export function lookBackMs({ rolling, excluding = EXCLUDED_MS_DEFAULT, sameHour }: MovingRule) {
  if (rolling !== undefined) return rolling + excluding;
  return sameHour === undefined ? 0 : sameHour * WEEK_MS;
}

/** What the label `reference` says. */
function nameOf({ rolling, sameHour, against }: MovingRule): string {
  if (rolling !== undefined) return `rolling ${formatDuration(rolling)}`;
  if (sameHour !== undefined) return `same hour, ${sameHour}w`;
  return against?.version === undefined ? `${against?.segment}` : `version ${against.version}`;
}
