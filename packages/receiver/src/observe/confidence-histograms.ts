/**
 * Confidence by predicted class: two attributes of one span, and the only metric that is made of a
 * pair. Bounded in classes; what is beyond shares a place.
 */
import type { HistogramPoint, Labels } from "../metric-family.js";
import type { SpanRows } from "../otlp/span-rows.js";
import { TYPE_BITS, TYPE_MASK, VALUE_DOUBLE, VALUE_STRING } from "../otlp/span-rows.js";
import type { HistogramItem } from "./latency-histogram.js";
import type { ObserverState } from "./observer-state.js";

/** Shares of a half and more are what answers have; below, a few suffice. */
const BOUNDS = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1];
/** Classes of one model with a histogram of their own. */
const CLASSES_MAX = 50;
const OTHER_CLASS = "(other)";

interface ClassHistogram {
  readonly counts: Float64Array;
  sum: number;
  count: number;
}

/** The histograms of one model. */
export class ConfidenceHistograms {
  private readonly confidenceKey: number;
  private readonly classKey: number;
  private readonly byClass = new Map<string, ClassHistogram>();
  /** Where the present span's confidences are; those of a batch are neighbours. */
  private readonly found: number[] = [];

  constructor(confidenceKey: number, classKey: number) {
    this.confidenceKey = confidenceKey;
    this.classKey = classKey;
  }

  /** Counts the values [first, end) of one span; the n-th confidence is that of its n-th class. */
  count(rows: SpanRows, first: number, end: number, state: ObserverState): void {
    const { found, confidenceKey, classKey } = this;
    let classAt = -1;
    found.length = 0;
    for (let at = first; at < end; at++) {
      const key = (rows.valueTag[at] as number) >> TYPE_BITS;
      if (key === confidenceKey) found.push(at);
      else if (key === classKey && classAt < 0) classAt = at;
    }
    for (const [row, at] of found.entries()) {
      const value = rows.valueNumber[at] as number;
      const isNumber = ((rows.valueTag[at] as number) & TYPE_MASK) === VALUE_DOUBLE;
      if (!isNumber || !(value >= 0 && value <= 1)) continue;
      const name = classAt < 0 ? undefined : this.nameAt(rows, classAt + row, end, state);
      this.add(name ?? "", value);
    }
  }

  /** One point a class. */
  *points(model: Labels): Generator<HistogramPoint> {
    for (const [name, { counts, sum, count }] of this.byClass) {
      yield { labels: { ...model, predicted_class: name }, bounds: BOUNDS, counts, sum, count };
    }
  }

  /** Everything, to be stored. */
  items(): [predictedClass: string, HistogramItem][] {
    return [...this.byClass].map(([name, { counts, sum, count }]) => {
      return [name, { counts: [...counts], sum, count }];
    });
  }

  /** Takes up what {@link items} gave. */
  restore(items: readonly (readonly [predictedClass: string, HistogramItem])[]): void {
    for (const [name, { counts, sum, count }] of items) {
      const histogram = this.ofClass(name);
      histogram.counts.set(counts.slice(0, histogram.counts.length));
      histogram.sum = sum;
      histogram.count = count;
    }
  }

  private nameAt(rows: SpanRows, at: number, end: number, state: ObserverState) {
    const tag = rows.valueTag[at] as number;
    const isClass = at < end && tag >> TYPE_BITS === this.classKey;
    return isClass && (tag & TYPE_MASK) === VALUE_STRING ? state.categoryAt(rows, at) : undefined;
  }

  private add(name: string, value: number): void {
    const histogram = this.ofClass(name);
    let bucket = 0;
    while (value > (BOUNDS[bucket] as number)) bucket++;
    histogram.counts[bucket] = (histogram.counts[bucket] as number) + 1;
    histogram.sum += value;
    histogram.count++;
  }

  private ofClass(name: string): ClassHistogram {
    const known = this.byClass.get(name);
    if (known) return known;
    if (this.byClass.size >= CLASSES_MAX && name !== OTHER_CLASS) return this.ofClass(OTHER_CLASS);
    const histogram = { counts: new Float64Array(BOUNDS.length + 1), sum: 0, count: 0 };
    this.byClass.set(name, histogram);
    return histogram;
  }
}
