import type { MetricDefinition } from "@tidemark/semconv";
import type { Exemplar } from "./exemplar.js";

/** Which histograms of a metric are pushed that has both. */
export const HISTOGRAMS = ["classic", "native", "both"] as const;

/** One of the above. */
export type Histograms = (typeof HISTOGRAMS)[number];

/** Labels of a data point, in the order in which they are shown. */
export type Labels = Readonly<Record<string, string>>;

/** A number at one combination of labels. */
export interface NumberPoint {
  readonly labels: Labels;
  readonly value: number;
  /** Of a counter: a span that it counts. Scrapes in the OpenMetrics format show it. */
  readonly exemplar?: Exemplar | undefined;
  /** Since when it counts, in ms since the epoch; the start of the process when left out. */
  readonly startMs?: number | undefined;
}

/**
 * The same observations in buckets of constant relative width, (2^(i 2^-schema), 2^((i + 1)
 * 2^-schema)]: what Prometheus calls a native histogram.
 */
export interface NativeBuckets {
  /** -4 to 8. */
  readonly schema: number;
  /** Observations that are exactly 0. */
  readonly zeroCount: number;
  /** Index of the first bucket, and the counts from there on. */
  readonly first: number;
  readonly counts: ArrayLike<number>;
}

/** A distribution at one combination of labels, cumulative. */
export interface HistogramPoint {
  readonly labels: Labels;
  /** Upper bounds, inclusive and ascending; the last bucket, above them all, has none. */
  readonly bounds: readonly number[];
  /** Observations per bucket, not cumulated; one more than there are bounds. */
  readonly counts: ArrayLike<number>;
  readonly sum: number;
  readonly count: number;
  /** By bucket, where there is one. */
  readonly exemplars?: readonly (Exemplar | undefined)[] | undefined;
  readonly native?: NativeBuckets | undefined;
  /** Since when it counts, in ms since the epoch; the start of the process when left out. */
  readonly startMs?: number | undefined;
}

/**
 * All points of one metric: what both the scrape and the push are made from. They may be made while
 * they are read, and are then what they are at that moment: each is to be used before the next.
 */
export type MetricFamily =
  | {
      readonly definition: MetricDefinition<"counter" | "gauge">;
      readonly points: Iterable<NumberPoint>;
    }
  | {
      readonly definition: MetricDefinition<"histogram">;
      readonly points: Iterable<HistogramPoint>;
    };

/** Points that are made while they are read: to make all of ten thousand signals takes a second. */
export function lazily<T>(make: () => Iterator<T>): Iterable<T> {
  return { [Symbol.iterator]: make };
}

/**
 * A counter by labels. Combinations known in advance start at 0: Prometheus' `increase()` does not
 * see the first step of a series that is born with it.
 */
export class CounterSet {
  private readonly points = new Map<string, { labels: Labels; value: number }>();

  constructor(known: readonly Labels[] = []) {
    for (const labels of known) this.add(labels, 0);
  }

  add(labels: Labels, amount = 1): void {
    const key = Object.values(labels).join("\u0000");
    const point = this.points.get(key);
    if (point) point.value += amount;
    else this.points.set(key, { labels, value: amount });
  }

  /** A copy of the points as they are now. */
  snapshot(): NumberPoint[] {
    return [...this.points.values()].map(({ labels, value }) => ({ labels, value }));
  }
}

/** Joins families of the same metric, so that each is shown once. */
export function mergeFamilies(families: readonly MetricFamily[]): MetricFamily[] {
  const byName = new Map<string, MetricFamily>();
  for (const family of families) {
    const known = byName.get(family.definition.name);
    if (known === undefined) byName.set(family.definition.name, family);
    else {
      const points = lazily(function* () {
        yield* known.points;
        yield* family.points;
      });
      byName.set(family.definition.name, { ...known, points } as MetricFamily);
    }
  }
  return [...byName.values()];
}
