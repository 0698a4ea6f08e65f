/** One model version, or a segment of its traffic: its signals, its calls, its latencies. */
import type { SignalKind } from "@tidemark/semconv";
import type { SignalIdentity } from "../closed-window.js";
import type { Reference } from "../references/reference.js";
import type { Violation, ViolationCounts } from "../violations.js";
import { LatencyHistogram } from "./latency-histogram.js";
import type { LearnOptions } from "./learner.js";
import { Learner } from "./learner.js";
import { SignalPanes } from "./signal.js";
import type { TenantRoom } from "./usage-counts.js";
import { UsageCounts } from "./usage-counts.js";
import type { WindowSchedule } from "./window-schedule.js";

/** A signal that is monitored, or still learning what is normal. */
export interface ObservedSignal {
  readonly identity: SignalIdentity;
  readonly role: number;
  panes: SignalPanes | undefined;
  learner: Learner | undefined;
  /** Its reference was learned, and is found in no file. */
  learned: boolean;
  /** Rows without a value since the start. */
  missing: number;
  /** Values that were wrong by the schema of the reference, since the start of the process. */
  violations: ViolationCounts | undefined;
}

/** Counts a value that is wrong. */
export function countViolation(signal: ObservedSignal, kind: Violation): void {
  const counts = (signal.violations ??= {});
  counts[kind] = (counts[kind] ?? 0) + 1;
}

/** What a model's signals need to know of the configuration. */
export interface ModelOptions {
  readonly schedule: WindowSchedule;
  readonly learn: LearnOptions;
  readonly reference: (identity: SignalIdentity) => Reference | undefined;
  /** Whether the model has a reference, of which the signal is no part. */
  readonly isForeign: (identity: SignalIdentity) => boolean;
  readonly tenants: TenantRoom;
  /** How the values of a signal are summed up; undefined when the first one decides. */
  readonly kindOf: (role: number, name: string) => SignalKind | undefined;
}

/** All that is kept about one version of a model. */
export class ObservedModel {
  readonly model: string;
  readonly version: string;
  /** Empty for all of the model's traffic. */
  readonly segment: string;
  /** By key id of the reader's table, so that a value finds its signal with one array access. */
  readonly signals: (ObservedSignal | undefined)[] = [];
  readonly latencies = new Map<string, LatencyHistogram>();
  /** Tokens by type, and money by currency. */
  readonly tokens: UsageCounts;
  readonly costs: UsageCounts;
  successes = 0;
  errors = 0;
  private readonly options: ModelOptions;

  constructor(model: string, version: string, segment: string, options: ModelOptions) {
    this.model = model;
    this.version = version;
    this.segment = segment;
    this.options = options;
    this.tokens = new UsageCounts(options.tenants);
    this.costs = new UsageCounts(options.tenants);
  }

  /** Creates the signal of a key. */
  addSignal(key: number, role: number, name: string): ObservedSignal {
    const { model, version, segment } = this;
    const identity = { model, version, name, segment };
    const reference = this.options.reference(identity);
    const nothing = { panes: undefined, learner: undefined, violations: undefined };
    const signal: ObservedSignal = { identity, role, ...nothing, learned: false, missing: 0 };
    if (reference === undefined && this.options.isForeign(identity)) {
      countViolation(signal, "schema");
    }
    if (reference) this.monitor(signal, reference);
    else signal.learner = this.newLearner(role, name);
    this.signals[key] = signal;
    return signal;
  }

  /** What a signal without a reference learns with. */
  newLearner(role: number, name: string): Learner {
    return new Learner(this.options.learn, this.options.kindOf(role, name));
  }

  /** Lets a signal that has learned enough be monitored from now on. */
  finishLearning(signal: ObservedSignal): void {
    const reference = signal.learner?.reference();
    if (reference) this.monitorLearned(signal, reference);
  }

  latency(stage: string): LatencyHistogram {
    let histogram = this.latencies.get(stage);
    if (histogram === undefined) {
      histogram = new LatencyHistogram();
      this.latencies.set(stage, histogram);
    }
    return histogram;
  }

  /** Has a signal compared with a reference that it has learned itself. */
  monitorLearned(signal: ObservedSignal, reference: Reference): void {
    this.monitor(signal, reference);
    signal.learned = true;
  }

  private monitor(signal: ObservedSignal, reference: Reference): void {
    signal.panes = new SignalPanes(signal.identity, reference, this.options.schedule);
    signal.learner = undefined;
  }
}
