/** All that observe knows between two spans: models and their signals, time, and recent spans. */
import type { PriceBook } from "@tidemark/semconv";
import type { KeyTable } from "../otlp/key-table.js";
import type { SpanRows } from "../otlp/span-rows.js";
import { ROLE } from "../otlp/wanted-keys.js";
import type { SignalKey } from "../references/moving-reference.js";
import type { WindowLength } from "../window-lengths.js";
import { ByteInterner, INTERN_FULL } from "./byte-interner.js";
import { histogramRoom } from "./call-latencies.js";
import { ConfidenceHistograms } from "./confidence-histograms.js";
import type { ModelOptions, ObservedSignal } from "./observed-model.js";
import { ObservedModel } from "./observed-model.js";
import type { RetentionOptions } from "./pane-history.js";
import type { PreparedPast } from "./prepared-past.js";
import { RecentSpans } from "./recent-spans.js";
import { signalName } from "./signal-name.js";
import type { PlanOptions } from "./signal-plan.js";
import { SignalPlan } from "./signal-plan.js";
import { SignalSnapshot } from "./signal-snapshot.js";
import { tenantRooms } from "./usage-counts.js";
import { Watermark } from "./watermark.js";
import { WindowSchedule } from "./window-schedule.js";

/** Models, versions, stages and scopes that are told apart. */
const STRINGS_MAX = 16_384;
/** Categories that are found by their bytes, about 20 MB; others are decoded each time. */
const CATEGORIES_MAX = 65_536;
/** Of longer texts no more is read: no summary keeps a category of so many characters. */
const CATEGORY_BYTES_MAX = 2048;
const MODELS_MAX = 10_000;
/** Model ids and version ids are below 2^16, so a pair fits a safe integer key. */
const VERSION_FACTOR = STRINGS_MAX;
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8");

/** How what is said of answers finds its calls. */
export interface EvaluationOptions {
  /** Calls that are remembered at least; 0 for none. */
  readonly recentCalls: number;
  /** How long an evaluation waits for its call to come. */
  readonly evaluationWaitMs: number;
  /** How long after a call its feedback counts among that of a rate; 0 for no such rates. */
  readonly feedbackWithinMs: number;
}

/** The observer's part of the configuration. */
export interface ObserverOptions
  extends Omit<ModelOptions, "schedule" | "kindOf" | "tenants" | "histograms"> {
  readonly paneMs: number;
  /** Shortest first; it is a multiple of the pane. */
  readonly lengths: readonly WindowLength[];
  /** What references read that move with time. */
  readonly past?: PreparedPast;
  /** How long the past is kept. */
  readonly retention: RetentionOptions;
  readonly allowedLatenessMs: number;
  readonly idleTimeoutMs: number;
  /** Signals over all models; values of further ones are counted and dropped. */
  readonly signalsMax: number;
  /** Segments over all models; spans of further ones count for their model only. */
  readonly segmentsMax: number;
  /** Spans that are remembered, so that one that is delivered again is not counted again. */
  readonly recentSpans: number;
  /** Series of calls by service and span name; 0 for none at all. */
  readonly spanSeriesMax?: number;
  readonly evaluations?: EvaluationOptions;
  /** Of calls that do not say their cost; undefined when these have none. */
  readonly prices?: PriceBook | undefined;
  readonly plan: PlanOptions;
}

/** Owned by the observer; stored and restored by `observer-checkpoint.ts`. */
export class ObserverState {
  readonly strings = new ByteInterner(STRINGS_MAX);
  readonly plan: SignalPlan;
  /** Every model by number, and every segment by its name. */
  readonly models = new Map<number | string, ObservedModel>();
  readonly schedule: WindowSchedule;
  readonly watermark: Watermark;
  readonly recentSpans: RecentSpans;
  readonly keys: KeyTable;
  readonly prices: PriceBook | undefined;
  /** What a checkpoint that is under way has not come to. */
  readonly snapshot = new SignalSnapshot();
  /** Since when is counted what survives restarts; ms since the epoch. */
  sinceMs = 0;
  /** The last batch that has been counted. */
  sequence = 0;
  signalCount = 0;
  segmentCount = 0;
  private readonly categories = new ByteInterner(CATEGORIES_MAX);
  private readonly tenants = tenantRooms();
  private readonly histograms = histogramRoom();
  private readonly segments = new Map<ObservedModel, Map<string, ObservedModel>>();
  private readonly options: ObserverOptions;

  constructor(options: ObserverOptions, keys: KeyTable) {
    this.options = options;
    this.keys = keys;
    this.prices = options.prices;
    this.plan = new SignalPlan(keys, options.plan);
    this.schedule = new WindowSchedule(options.paneMs, options.lengths);
    this.watermark = new Watermark(options.allowedLatenessMs, options.idleTimeoutMs);
    this.recentSpans = new RecentSpans(options.recentSpans);
  }

  /**
   * The model of interned strings; a negative version stands for none. Undefined when there are too
   * many.
   */
  model(name: number, version: number): ObservedModel | undefined {
    const id = name * VERSION_FACTOR + (version < 0 ? VERSION_FACTOR - 1 : version);
    let model = this.models.get(id);
    if (model === undefined) {
      if (this.models.size - this.segmentCount >= MODELS_MAX) return undefined;
      model = this.newModel(this.strings.text(name), this.strings.text(version), "");
      this.models.set(id, model);
    }
    return model;
  }

  /** A segment of a model's traffic; undefined when there are too many. */
  segment(model: ObservedModel, name: string): ObservedModel | undefined {
    let ofModel = this.segments.get(model);
    const known = ofModel?.get(name);
    if (known !== undefined) return known;
    if (this.segmentCount >= this.options.segmentsMax) return undefined;
    if (ofModel === undefined) {
      ofModel = new Map();
      this.segments.set(model, ofModel);
    }
    const segment = this.newModel(model.model, model.version, name);
    this.segmentCount++;
    ofModel.set(name, segment);
    this.models.set(JSON.stringify([model.model, model.version, name]), segment);
    return segment;
  }

  /** The same by name. */
  modelNamed(name: string, version: string, segment = ""): ObservedModel | undefined {
    const model = this.model(this.intern(name), version === "" ? -1 : this.intern(version));
    return model && segment !== "" ? this.segment(model, segment) : model;
  }

  /** A signal that has been seen. */
  find({ model, version, segment = "", name }: SignalKey): ObservedSignal | undefined {
    const id = this.intern(model) * VERSION_FACTOR;
    const plain = id + (version === "" ? VERSION_FACTOR - 1 : this.intern(version));
    const key = segment === "" ? plain : JSON.stringify([model, version, segment]);
    return this.models.get(key)?.signals.find((signal) => signal?.identity.name === name);
  }

  /** The text of a string value, or as much of it as counts; undefined when it is no UTF-8. */
  categoryAt({ view, valueOffset, valueNumber }: SpanRows, at: number): string | undefined {
    const start = valueOffset[at] as number;
    const length = valueNumber[at] as number;
    const id = this.categories.intern(view, start, length);
    if (id >= 0) return this.categories.text(id);
    if (id !== INTERN_FULL) return undefined;
    const read = Math.min(length, CATEGORY_BYTES_MAX);
    return decoder.decode(new Uint8Array(view.buffer, view.byteOffset + start, read));
  }

  /** Every signal, in the order of their models; new ones may come while it is walked. */
  *signals(): Generator<ObservedSignal> {
    for (const model of this.models.values()) {
      for (const signal of model.signals) if (signal) yield signal;
    }
  }

  /** A signal that is new; undefined when there are too many. */
  addSignal(model: ObservedModel, key: number, role: number): ObservedSignal | undefined {
    if (this.signalCount >= this.options.signalsMax) return undefined;
    this.signalCount++;
    if (role === ROLE.predictionConfidence && model.segment === "") this.confidencesOf(model);
    return model.addSignal(key, role, signalName(role, this.keys.known(key).suffix));
  }

  /** The model's confidences by class, from now on if there were none. */
  confidencesOf(model: ObservedModel): ConfidenceHistograms {
    const key = this.keys.idOf(ROLE.predictionConfidence, "");
    const classKey = this.keys.idOf(ROLE.predictionClass, "");
    return (model.confidences ??= new ConfidenceHistograms(key, classKey));
  }

  private newModel(model: string, version: string, segment: string): ObservedModel {
    const { learn, references } = this.options;
    const { schedule, tenants, histograms } = this;
    const kindOf = (role: number, name: string) => this.plan.kindOf(role, name);
    const options = { schedule, learn, references, kindOf, tenants, histograms };
    return new ObservedModel(model, version, segment, options);
  }

  private intern(text: string): number {
    const bytes = encoder.encode(text);
    return this.strings.intern(new DataView(bytes.buffer, bytes.byteOffset), 0, bytes.length);
  }
}
