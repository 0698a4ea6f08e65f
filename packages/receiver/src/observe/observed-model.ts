/** One model version, or a segment of its traffic: its signals, its calls, its latencies. */
import type { SignalKind } from "@tidemark/semconv";
import type { SignalIdentity } from "../closed-window.js";
import type { Reference } from "../references/reference.js";
import { isSameReference, LEARNED } from "../references/reference.js";
import type { Violation, ViolationCounts } from "../violations.js";
import { CallLatencies } from "./call-latencies.js";
import type { ConfidenceHistograms } from "./confidence-histograms.js";
import { EvaluationCounts } from "./evaluation-counts.js";
import { LatencyHistogram } from "./latency-histogram.js";
import type { LearnOptions } from "./learner.js";
import { Learner } from "./learner.js";
import { SignalPanes } from "./signal.js";
import type { TenantRoom, tenantRooms } from "./usage-counts.js";
import { UsageCounts } from "./usage-counts.js";
import type { WindowSchedule } from "./window-schedule.js";

/** A signal that is monitored, or still learning what is normal. */
export interface ObservedSignal {
  readonly identity: SignalIdentity;
  /** Its id in the reader's table of keys. */
  readonly key: number;
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

/** What a signal is compared with. */
export interface References {
  /** From its first value on; undefined when it has to learn. */
  find(signal: SignalIdentity): Reference | undefined;
  /** When it has learned; undefined when it has to go on. */
  learned(signal: SignalIdentity, own: () => Reference | undefined): Reference | undefined;
  /** A reference as the configuration has it, which may move with time. */
  moving(signal: SignalIdentity, base: Reference): Reference;
  /** Whether the model has a reference, of which the signal is no part. */
  isForeign(signal: SignalIdentity): boolean;
}

/** What a model's signals need to know of the configuration. */
export interface ModelOptions {
  readonly schedule: WindowSchedule;
  readonly learn: LearnOptions;
  /** Where references come from: see references/reference-book.ts. */
  readonly references: References;
  readonly tenants: ReturnType<typeof tenantRooms>;
  readonly histograms: TenantRoom;
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
  /** Those whose spans name the model: a bounded number of them. */
  readonly services = new Set<string>();
  readonly callLatencies: CallLatencies;
  /** Tokens by type, and money by currency. */
  readonly tokens: UsageCounts;
  readonly costs: UsageCounts;
  /** Calls of unknown cost, by tenant and provider. */
  readonly unpriced: UsageCounts;
  /** What has been said of its answers. */
  readonly evaluations = new EvaluationCounts();
  /** Undefined until a confidence has been seen. */
  confidences: ConfidenceHistograms | undefined;
  successes = 0;
  errors = 0;
  /** The training run that the latest span to say so has named; empty before. */
  runId = "";
  private readonly options: ModelOptions;

  constructor(model: string, version: string, segment: string, options: ModelOptions) {
    this.model = model;
    this.version = version;
    this.segment = segment;
    this.options = options;
    this.callLatencies = new CallLatencies(options.histograms);
    this.tokens = new UsageCounts(options.tenants.tokens);
    this.costs = new UsageCounts(options.tenants.costs);
    this.unpriced = new UsageCounts(options.tenants.unpriced);
  }

  /** Whether there is nothing to tell of it: its spans were about calls of other models. */
  get isEmpty(): boolean {
    return this.signals.length === 0 && this.latencies.size === 0;
  }

  /** Creates the signal of a key. */
  addSignal(key: number, role: number, name: string): ObservedSignal {
    const { model, version, segment } = this;
    const identity = { model, version, name, segment };
    const { references } = this.options;
    const reference = references.find(identity);
    const nothing = { panes: undefined, learner: undefined, violations: undefined };
    const counts = { ...nothing, learned: false, missing: 0 };
    const signal: ObservedSignal = { identity, key, role, ...counts };
    if (reference === undefined && references.isForeign(identity)) {
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
    const own = () => signal.learner?.reference();
    const reference = this.options.references.learned(signal.identity, own);
    if (reference) this.monitorLearned(signal, reference);
  }

  /** Looks a signal's reference up again, and keeps what its open windows have counted. */
  lookUpAgain(signal: ObservedSignal): void {
    const { identity, panes, learned, role } = signal;
    const { references } = this.options;
    let reference = references.find(identity);
    if (reference === undefined && panes === undefined) return;
    signal.learned = reference === undefined && learned;
    if (panes && signal.learned) {
      reference = references.moving(identity, withoutMoves(panes.reference));
    }
    if (reference === undefined) {
      // Its file is configured no more: there is nothing left to compare with.
      signal.panes = undefined;
      signal.learner = this.newLearner(role, identity.name);
    } else if (panes === undefined) this.monitor(signal, reference);
    else if (!isSameReference(panes.reference, reference)) {
      signal.panes = panes.onReference(reference);
    }
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
    this.monitor(signal, this.options.references.moving(signal.identity, reference));
    signal.learned = true;
  }

  private monitor(signal: ObservedSignal, reference: Reference): void {
    signal.panes = new SignalPanes(signal.identity, reference, this.options.schedule);
    signal.learner = undefined;
  }
}

/** A learned reference as it was before a rule of the configuration took it up. */
function withoutMoves(reference: Reference): Reference {
  const { kind, provisional, missing } = reference;
  const origin = { name: LEARNED, provisional, missing };
  if (kind === "numeric") return { ...origin, kind, grid: reference.grid };
  const { categories, rate = false } = reference;
  return { ...origin, kind, categories, ...(rate ? { rate } : {}) };
}
