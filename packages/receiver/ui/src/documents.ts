/**
 * What the API says and the page shows: plain JSON, versioned by its path (`/api/v1/...`).
 * Times are epoch milliseconds, intervals half-open, and numbers that do not exist are null.
 */

import type { Comparison } from "./comparison.js";

/** What is known of a signal, or of the worst signal of a model. */
export type SignalState =
  | "drifted"
  | "warning"
  | "insufficient"
  | "silent"
  | "learning"
  | "stable"
  | "unknown";

/** Every state, the most urgent first. */
export const STATES: readonly SignalState[] = [
  "drifted",
  "warning",
  "silent",
  "insufficient",
  "learning",
  "unknown",
  "stable",
];

/** Where links lead; null where nothing is configured. */
export interface Links {
  /** Base URL of Jaeger's page. */
  readonly jaeger: string | null;
  /** Base URL of Grafana. */
  readonly grafana: string | null;
}

/** `GET /api/v1/models` */
export interface ModelsDocument {
  readonly nowMs: number;
  /** Window lengths, shortest first, such as `5m`. */
  readonly windows: readonly string[];
  readonly links: Links;
  /** Worst first. */
  readonly models: readonly ModelSummary[];
}

/** One version of a model. */
export interface ModelSummary {
  readonly model: string;
  readonly version: string;
  readonly segments: readonly string[];
  readonly state: SignalState;
  /** When the worst signal came into its state. */
  readonly sinceMs: number | null;
  /** End of the newest window with values. */
  readonly lastMs: number | null;
  /** How many signals are in each state. */
  readonly counts: Readonly<Partial<Record<SignalState, number>>>;
  readonly predictions: number;
  readonly errors: number;
  /** The worst signals' names, at most three. */
  readonly worst: readonly string[];
}

/** A stretch of time in one state. */
export interface StateRun {
  readonly startMs: number;
  readonly endMs: number;
  readonly state: SignalState;
}

/** `GET /api/v1/model` */
export interface ModelDocument {
  readonly nowMs: number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly model: string;
  readonly version: string;
  readonly segment: string;
  readonly window: string;
  readonly windows: readonly string[];
  readonly versions: readonly string[];
  readonly segments: readonly string[];
  readonly links: Links;
  readonly predictions: number;
  readonly errors: number;
  /** Worst first. */
  readonly signals: readonly SignalRow[];
  /** Segments by how many of their signals moved, and how far; worst first. */
  readonly segmentRanking: readonly SegmentRow[];
  readonly quality: readonly QualityRow[];
}

/** One signal of a model, in the window length that is shown. */
export interface SignalRow {
  readonly signal: string;
  readonly kind: SignalKind | null;
  readonly state: SignalState;
  readonly sinceMs: number | null;
  readonly method: string | null;
  readonly statistic: number | null;
  readonly threshold: number | null;
  /** Statistic over threshold: above 1 is too far. */
  readonly ratio: number | null;
  readonly liveCount: number;
  readonly referenceCount: number;
  readonly sentence: string;
  /** The stretches of the range that is shown. */
  readonly runs: readonly StateRun[];
  /** How far a signal without a reference has learned; null otherwise. */
  readonly learning: Learning | null;
  /** Of what moved most, its last window beside the reference; null otherwise. */
  readonly preview: Preview | null;
}

/** Live beside reference in few numbers: the heights of two curves, or of paired bars. */
export interface Preview {
  readonly kind: "curves" | "bars";
  readonly reference: readonly number[];
  readonly live: readonly number[];
  /** Of numbers. */
  readonly medians: { readonly reference: number; readonly live: number } | null;
}

/** What the values of a signal are. */
export type SignalKind = "numeric" | "categorical" | "rate";

/** How far a reference has been learned; it takes both. */
export interface Learning {
  readonly learned: number;
  readonly needed: number;
  readonly learnedSpanMs: number;
  readonly neededSpanMs: number;
}

/** A slice of a model's traffic. */
export interface SegmentRow {
  readonly segment: string;
  readonly state: SignalState;
  readonly drifted: number;
  readonly signals: number;
  /** The signal that moved furthest. */
  readonly worst: string;
  readonly ratio: number | null;
}

/** Values that break the schema that the reference is. */
export interface QualityRow {
  readonly signal: string;
  readonly kind: string;
  readonly count: number;
}

/** `GET /api/v1/signal` */
export interface SignalDocument {
  readonly nowMs: number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly model: string;
  readonly version: string;
  readonly segment: string;
  readonly signal: string;
  readonly window: string;
  readonly windows: readonly string[];
  readonly versions: readonly string[];
  readonly segments: readonly string[];
  readonly links: Links;
  readonly kind: SignalKind | null;
  readonly state: SignalState;
  readonly sinceMs: number | null;
  readonly reference: ReferenceFacts | null;
  readonly learning: Learning | null;
  /** The verdict of every window length. */
  readonly verdicts: readonly VerdictFacts[];
  /** Live beside reference; null while there is nothing to compare. */
  readonly comparison: Comparison | null;
  /** The range in slices, oldest first; gaps are left out. */
  readonly slices: readonly Slice[];
  readonly runs: readonly StateRun[];
  readonly exemplars: readonly ExemplarFacts[];
  readonly segmentRanking: readonly SegmentRow[];
  /** Which segments made it drift; null unless it does. */
  readonly origin: OriginFacts | null;
  readonly quality: readonly QualityRow[];
  readonly changes: readonly Change[];
}

/** Where a drift comes from: the share of rows with the property that has moved most. */
export interface OriginFacts {
  /** Values at or below a number, or of a category. */
  readonly property: number | string;
  readonly before: number;
  readonly after: number;
  /** By attribute, such as `region`: how much of `after - before` is due to each segment. */
  readonly rankings: readonly {
    readonly attribute: string;
    readonly segments: readonly { readonly name: string; readonly contribution: number }[];
  }[];
}

/** What live values are compared with. */
export interface ReferenceFacts {
  readonly name: string;
  readonly count: number;
  readonly provisional: boolean;
  /** Share of rows without a value. */
  readonly missingRate: number;
  /** Of numbers: the shares of {@link QUANTILE_SHARES}. */
  readonly quantiles: readonly (number | null)[] | null;
}

/** The quantiles that slices and references are shown by. */
export const QUANTILE_SHARES: readonly number[] = [0.05, 0.25, 0.5, 0.75, 0.95];

/** One verdict with every number that it rests on. */
export interface VerdictFacts {
  readonly window: string;
  readonly state: SignalState;
  readonly sinceMs: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly method: string;
  readonly statistic: number | null;
  readonly threshold: number | null;
  readonly floor: number | null;
  readonly errorBound: number | null;
  readonly pValue: number | null;
  readonly alpha: number | null;
  readonly psi: number | null;
  readonly liveCount: number;
  readonly referenceCount: number;
  readonly needed: number | null;
  readonly sentence: string;
}

/** A stretch of time. */
export interface Slice {
  readonly startMs: number;
  readonly endMs: number;
  readonly count: number;
  readonly missing: number;
  /** Distance from the reference; null without values. */
  readonly distance: number | null;
  /** Of numbers: at {@link QUANTILE_SHARES}; null without values. */
  readonly quantiles: readonly number[] | null;
  /** Of numbers, in some slices: the density on the points of the comparison. */
  readonly density: readonly number[] | null;
  /** Where there is a density: the shares of the comparison's atoms, which it leaves out. */
  readonly atoms: readonly number[] | null;
  /** Of categories: the shares of the comparison's first categories, and of the rest. */
  readonly shares: readonly number[] | null;
}

/** A value behind a verdict. */
export interface ExemplarFacts {
  readonly traceId: string;
  readonly spanId: string;
  readonly value: number | string;
  readonly timeMs: number;
}

/** A verdict's state has changed. */
export interface Change {
  readonly atMs: number;
  readonly window: string;
  readonly before: SignalState;
  readonly state: SignalState;
  readonly sentence: string;
}

/** `GET /api/v1/health` */
export interface HealthDocument {
  readonly nowMs: number;
  readonly startedMs: number;
  readonly version: string;
  readonly ready: boolean;
  readonly memoryBytes: number;
  readonly windows: readonly string[];
  readonly links: Links;
  /** Numbers of the receiver itself, by the name of their metric. */
  readonly metrics: readonly HealthMetric[];
}

/** One of the receiver's own metrics. */
export interface HealthMetric {
  readonly name: string;
  readonly brief: string;
  readonly unit: string;
  readonly kind: "counter" | "gauge";
  readonly points: readonly {
    readonly labels: Readonly<Record<string, string>>;
    readonly value: number;
  }[];
}

/** What any request may be answered with instead. */
export interface ErrorDocument {
  readonly error: string;
}
