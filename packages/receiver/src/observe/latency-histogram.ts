import type { Exemplar } from "../exemplar.js";
import type { HistogramPoint, Labels } from "../metric-family.js";
import type { SpanPlace } from "./exemplar-slots.js";
import { exemplarAt } from "./exemplar-slots.js";
import type { StoredBuckets } from "./native-buckets.js";
import { DurationBuckets } from "./native-buckets.js";

/** Upper bounds in seconds: the usual ones for request durations. */
export const LATENCY_BOUNDS_S = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120,
];

/** A histogram as it is stored. */
export interface HistogramItem {
  readonly counts: readonly number[];
  readonly sum: number;
  readonly count: number;
  readonly native?: StoredBuckets | undefined;
}

/** Between two exemplars of one bucket, in event time: reading the ids of each would cost more. */
const EXEMPLARS_APART_MS = 1000;

/** Durations in explicit buckets and in native ones, cumulative. */
export class LatencyHistogram {
  readonly counts = new Float64Array(LATENCY_BOUNDS_S.length + 1);
  sum = 0;
  count = 0;
  private readonly native = new DurationBuckets();
  /** The latest span of each bucket, or one of the second before. */
  private readonly exemplars: (Exemplar | undefined)[] = [];

  /**
   * Adds a duration in seconds; a negative one (a clock that went back) counts as 0.
   * @param place where the span is, if it may be an example of its bucket
   */
  add(seconds: number, place?: SpanPlace): void {
    const value = Math.max(0, seconds);
    let bucket = 0;
    while (value > (LATENCY_BOUNDS_S[bucket] ?? Number.POSITIVE_INFINITY)) bucket++;
    this.counts[bucket] = (this.counts[bucket] as number) + 1;
    this.sum += value;
    this.count++;
    this.native.add(value);
    if (place === undefined) return;
    const known = this.exemplars[bucket];
    if (known && Math.abs(place.timeMs - known.timeMs) < EXEMPLARS_APART_MS) return;
    this.exemplars[bucket] = exemplarAt(place, value);
  }

  /** Everything but exemplars, to be stored. */
  item(): HistogramItem {
    const { counts, sum, count } = this;
    return { counts: [...counts], sum, count, native: this.native.item() };
  }

  /**
   * Takes up counts of an earlier run. Where it has stored no native ones, they are put where their
   * explicit bucket ends.
   */
  restore({ counts, sum, count, native }: HistogramItem): void {
    this.counts.set(counts.slice(0, this.counts.length));
    this.sum = sum;
    this.count = count;
    if (native) return this.native.restore(native);
    for (const [bucket, times] of this.counts.entries()) {
      this.native.add(LATENCY_BOUNDS_S[bucket] ?? (LATENCY_BOUNDS_S.at(-1) as number), times);
    }
  }

  /** The histogram as it is now. */
  point(labels: Labels): HistogramPoint {
    const { counts, sum, count, native, exemplars } = this;
    const point = { labels, bounds: LATENCY_BOUNDS_S, counts, sum, count };
    return { ...point, exemplars, native: native.snapshot() };
  }
}
