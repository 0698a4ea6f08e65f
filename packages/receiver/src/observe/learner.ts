/**
 * Learns a reference from live values where there is no training file: a sketch of the first
 * `samples` values or more, over at least `spanMs` of event time.
 */
import type { SignalKind } from "@tidemark/semconv";
import { CategoryCounts, KllSketch, ReferenceGrid } from "@tidemark/stats";
import type { Reference } from "../references/reference.js";
import { LEARNED } from "../references/reference.js";

const DAY_MS = 86_400_000;

/** When a learned reference is good enough to be used. */
export interface LearnOptions {
  readonly samples: number;
  readonly spanMs: number;
}

/** All that a learner has collected. */
export interface LearnerState {
  readonly count: number;
  readonly missing: number;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly kind: "numeric" | "categorical";
  readonly summary: Uint8Array;
}

/** Collects one signal's first values; unless its kind is known, the first one decides. */
export class Learner {
  private readonly options: LearnOptions;
  private readonly kind: SignalKind | undefined;
  private sketch: KllSketch | undefined;
  private categories: CategoryCounts | undefined;
  private firstMs = Number.POSITIVE_INFINITY;
  private lastMs = Number.NEGATIVE_INFINITY;
  missing = 0;
  count = 0;

  /** @param kind what the values are; undefined when the first one decides */
  constructor(options: LearnOptions, kind?: SignalKind) {
    this.options = options;
    this.kind = kind;
  }

  /** Values that the reference needs at least. */
  get needed(): number {
    return this.options.samples;
  }

  /** Event time between the first and the last value. */
  get spanMs(): number {
    return this.count === 0 ? 0 : this.lastMs - this.firstMs;
  }

  /** Event time that the values of a reference span at least. */
  get neededSpanMs(): number {
    return this.options.spanMs;
  }

  /** Returns false for a value that does not fit: NaN, or a number among categories. */
  addNumber(value: number, eventMs: number): boolean {
    if (this.categories !== undefined || !Number.isFinite(value)) return false;
    if (this.kind !== undefined && this.kind !== "numeric") return false;
    this.sketch ??= new KllSketch();
    this.sketch.add(value);
    this.seen(eventMs);
    return true;
  }

  /** Returns false when the signal holds numbers. */
  addCategory(value: string, eventMs: number, times = 1): boolean {
    if (this.sketch !== undefined || this.kind === "numeric") return false;
    this.categories ??= new CategoryCounts();
    this.categories.add(value, times);
    this.seen(eventMs, times);
    return true;
  }

  /** What must survive a restart. */
  get state(): LearnerState {
    const { count, missing, firstMs, lastMs } = this;
    const kind = this.categories ? "categorical" : "numeric";
    const summary = (this.categories ?? this.sketch ?? new KllSketch()).serialise();
    return { count, missing, firstMs, lastMs, kind, summary };
  }

  set state({ summary, kind, ...counts }: LearnerState) {
    Object.assign(this, counts);
    if (counts.count === 0) return;
    if (kind === "numeric") this.sketch = KllSketch.deserialise(summary);
    else this.categories = CategoryCounts.deserialise(summary);
  }

  addMissing(): void {
    this.missing++;
  }

  /** The reference, once there are enough values over enough time. */
  reference(): Reference | undefined {
    const { samples, spanMs } = this.options;
    if (this.count < samples || this.lastMs - this.firstMs < spanMs) return undefined;
    const provisional = this.lastMs - this.firstMs < DAY_MS;
    const origin = { name: LEARNED, provisional, missing: this.missing };
    if (this.sketch) {
      return { ...origin, kind: "numeric", grid: ReferenceGrid.fromSketch(this.sketch) };
    }
    const categories = this.categories ?? new CategoryCounts();
    const rate = this.kind === "rate" ? { rate: true } : {};
    return { ...origin, kind: "categorical", categories, ...rate };
  }

  private seen(eventMs: number, times = 1): void {
    this.count += times;
    this.firstMs = Math.min(this.firstMs, eventMs);
    this.lastMs = Math.max(this.lastMs, eventMs);
  }
}
