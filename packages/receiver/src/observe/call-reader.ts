/**
 * Makes the signals of model calls, retrievals and evaluations of what {@link CallParts} has found:
 * the same ones for every dialect, in seconds and tokens, each call counted once.
 */
import type { Activity, CallSignalKey, Concept } from "@tidemark/semconv";
import {
  ACTIVITIES,
  ATTEMPTS,
  CALL_SIGNALS,
  costOf,
  DIALECT_ATTRIBUTES,
  FAILED_LEVEL,
  FINISH_REASONS,
  TOKEN_TYPES,
} from "@tidemark/semconv";
import type { SpanRows } from "../otlp/span-rows.js";
import { STATUS_ERROR } from "../otlp/span-rows.js";
import { ROLE } from "../otlp/wanted-keys.js";
import type { CallLatency } from "./call-latencies.js";
import { idKey, spanKey } from "./call-memory.js";
import type { CallEvent } from "./call-parts.js";
import { CallParts } from "./call-parts.js";
import type { CallUsage } from "./call-usage.js";
import { pricedUsage, usageOf } from "./call-usage.js";
import type { FoundEvaluation } from "./evaluation-reader.js";
import { EvaluationReader } from "./evaluation-reader.js";
import { FailedAttempts } from "./failed-attempts.js";
import { jsonDocuments, timeOf } from "./json-details.js";
import type { Observations } from "./observations.js";
import type { ObservedModel } from "./observed-model.js";
import type { ObserverState } from "./observer-state.js";
import type { CountedCall } from "./recent-calls.js";
import { idAt, RecentCalls } from "./recent-calls.js";
import { ValueReader } from "./value-reader.js";

const NO_VIEW: DataView = new DataView(new ArrayBuffer(0));
const NS_PER_S = 1e9;
const MS_PER_S = 1000;
const MS_PER_NS = 1e-6;
/** What our own spans give as the source of a cost when no price table has the model. */
const UNKNOWN_COST = "unknown";
const EVENT_SCORES_MAX = 256;
/** In the place of a signal's name: the call has been counted as one of unknown cost. */
const UNPRICED = "unpriced";

/** What has become of a span: the first report of a call, a further one, or no call. */
export interface CallOutcome {
  /** An `attempt` has failed, and is no call before the span around it says that it failed. */
  readonly kind: "call" | "duplicate" | "attempt" | "none";
  readonly failed: boolean;
  readonly durationNs: number;
  /** Whose the observations are: of a further report, the model of the first. */
  readonly model: ObservedModel;
  /** By which keys what is said of the call later may name it, that of its first report first. */
  readonly keys: readonly string[];
  /** Empty when the span does not say. */
  readonly promptVersion: string;
  /** What the span says of this call, or of another one. */
  readonly evaluations: readonly FoundEvaluation[];
}

/** Reads one span at a time. */
export class CallReader {
  private readonly values: ValueReader;
  private readonly parts: CallParts;
  private readonly eventParts: CallParts;
  private readonly evaluations: EvaluationReader;
  readonly recent = new RecentCalls();
  private readonly attempts = new FailedAttempts();
  private readonly state: ObserverState;
  private readonly ids = new Map<CallSignalKey, number>();
  private out!: Observations;
  /** What has been counted of the present call, and what is being added. */
  private counted: ReadonlySet<string> = new Set();
  private readonly added: string[] = [];
  /** Whose the present call is, and where its span. */
  private model!: ObservedModel;
  private tenant = "";
  private readonly place = { view: NO_VIEW, traceOffset: 0, spanOffset: 0, timeMs: 0 };

  constructor(state: ObserverState) {
    this.state = state;
    this.values = new ValueReader(state);
    this.parts = new CallParts(state.keys);
    this.eventParts = new CallParts(state.keys);
    this.evaluations = new EvaluationReader(state, this.values);
    for (const [key, { name }] of Object.entries(CALL_SIGNALS)) {
      const id = state.keys.idOf(ROLE.callSignal, name);
      this.ids.set(key as CallSignalKey, id);
    }
  }

  /** Adds what a span tells to `out`, and its tokens and costs to the model. */
  read(rows: SpanRows, span: number, model: ObservedModel, out: Observations): CallOutcome {
    const { parts, values } = this;
    this.out = out;
    parts.collect(rows, rows.firstValue[span] as number, rows.endValue[span] as number);
    values.look(rows, out);
    const activity = this.activity();
    const evaluations = this.evaluations.read(rows, span, parts, activity !== "other");
    const promptVersion = this.word("promptVersion");
    const failed = rows.status[span] === STATUS_ERROR || this.text("level") === FAILED_LEVEL;
    const failedNs = activity === "other" ? this.attempts.take(rows, span) : undefined;
    const durationNs = failedNs ?? rows.durationNs[span] ?? 0;
    const told = { promptVersion, evaluations, failed, durationNs };
    if (activity === "other" && !(failed && failedNs !== undefined)) {
      return { kind: "none", model, keys: [], ...told };
    }
    if (this.isAttempt()) {
      if (failed) {
        this.attempts.add(rows, span);
        return { kind: "attempt", model, keys: [], ...told };
      }
      this.attempts.clear(rows, span);
    }
    const scope = this.scopeOf(rows, span);
    const startMs = rows.startMs[span] as number;
    const { call, isFirst } = this.recent.add(rows, span, {
      model,
      scope,
      responseId: this.text("responseId") ?? "",
      startMs,
      endMs: startMs + durationNs * MS_PER_NS,
    });
    this.begin(call, rows, span);
    this.latency("duration", Math.max(0, durationNs / NS_PER_S));
    this.event("error", failed);
    if (activity === "retrieval") this.readRetrieval(rows);
    else if (activity !== "other") this.readCall(rows, span, usageOf(parts, values, scope));
    this.end(call);
    const keys = this.keysOf(rows, span, activity, call);
    return { kind: isFirst ? "call" : "duplicate", model: call.model, keys, ...told };
  }

  private readCall(rows: SpanRows, span: number, usage: CallUsage): void {
    this.readUsage(usage);
    this.readCost(usage, rows.startMs[span] as number);
    this.latency("timeToFirstToken", this.timeToFirstToken(rows, span));
    this.latency("timeBetweenTokens", this.seconds("timeBetweenTokens"));
    this.optional("embeddingDimensions", this.value("embeddingDimensions"));
    this.name("responseModel", this.text("responseModel"));
    for (const at of this.parts.of("finishReason").at) {
      const reason = this.values.text(at);
      this.name("finishReason", reason && (FINISH_REASONS[reason] ?? reason));
    }
  }

  private readUsage(usage: CallUsage): void {
    const { model, tenant } = this;
    for (const [key, type] of Object.entries(TOKEN_TYPES) as [keyof typeof TOKEN_TYPES, string][]) {
      const tokens = usage[key];
      if (this.optional(key, tokens)) model.tokens.add(tenant, type, tokens as number);
    }
  }

  /** What the span says goes before our own tables, which may not have the prices of its app. */
  private readCost({ cost, currency, ...usage }: CallUsage, startMs: number): void {
    const { model, tenant } = this;
    const { prices } = this.state;
    if (this.optional("cost", cost)) model.costs.add(tenant, currency, cost as number);
    if (cost !== undefined || this.counted.has("cost")) return;
    const provider = this.text("provider") ?? "";
    const names = [this.text("responseModel"), this.text("model"), model.model];
    const price = names
      .map((name) => name && prices?.find(provider, name, startMs))
      .find((found) => typeof found === "object");
    if (price !== undefined) {
      const amount = costOf(price, pricedUsage(usage)) ?? Number.NaN;
      if (Number.isNaN(amount)) return;
      this.number("cost", amount);
      model.costs.add(tenant, price.currency, amount);
    } else if (usage.inputTokens !== undefined || this.text("costSource") === UNKNOWN_COST) {
      if (this.counted.has(UNPRICED)) return;
      this.added.push(UNPRICED);
      model.unpriced.add(tenant, provider, 1);
    }
  }

  private readRetrieval(rows: SpanRows): void {
    const { parts } = this;
    const listed = parts.of("retrievalScore").at.map((at) => this.values.number(at));
    const found = parts.events.filter(({ tells }) => tells === "retrieval");
    const ofEvents = found.slice(0, EVENT_SCORES_MAX).flatMap((event) => {
      const score = this.eventNumber(rows, event, "retrievalScore");
      return score === undefined ? [] : [score];
    });
    const documents = this.documents();
    const scores = [...listed, ...(documents?.scores ?? []), ...ofEvents];
    const count = Math.max(documents?.count ?? 0, scores.length, found.length);
    this.number("retrievalCount", count);
    for (const score of scores) this.number("retrievalScore", score);
    this.optional("inputTokens", this.value("inputTokens"));
  }

  /** As one JSON text, or as a list of which only the length is known. */
  private documents(): { count: number; scores: readonly number[] } | undefined {
    const { at } = this.parts.of("retrievalDocuments");
    if (at.length === 0) return undefined;
    const text = at.length === 1 ? this.values.longText(at[0] as number) : undefined;
    return (text && jsonDocuments(text)) || { count: at.length, scores: [] };
  }

  /** `other` when any attribute says so: it repeats the usage of the calls below it. */
  private activity(): Activity {
    let activity: Activity | undefined;
    for (const at of this.parts.activities) {
      const known = ACTIVITIES[this.values.text(at) ?? ""];
      if (known === "other") return known;
      activity ??= known;
    }
    if (activity) return activity;
    const has = (concept: Concept) => this.parts.of(concept).at.length > 0;
    if (has("inputTokens") || has("outputTokens") || has("usageDetails")) return "inference";
    const finds = has("retrievalScore") || has("retrievalDocuments");
    const isFound = finds || this.parts.events.some(({ tells }) => tells === "retrieval");
    return isFound ? "retrieval" : "other";
  }

  private isAttempt(): boolean {
    return this.parts.activities.some((at) => ATTEMPTS.has(this.values.text(at) ?? ""));
  }

  private timeToFirstToken(rows: SpanRows, span: number): number | undefined {
    const given = this.seconds("timeToFirstToken");
    if (given !== undefined) return given;
    const startMs = rows.startMs[span] as number;
    const text = this.text("firstTokenAt");
    if (text !== undefined) return (timeOf(text) - startMs) / MS_PER_S;
    const event = this.parts.events.find(({ tells }) => tells === "firstToken");
    return event && (event.timeMs - startMs) / MS_PER_S;
  }

  /** A span says itself whose it is, or its resource does. */
  private tenantOf(rows: SpanRows, span: number): string {
    if (this.parts.of("tenant").at.length === 0) {
      const resource = rows.resource[span] as number;
      const first = rows.resourceFirst[resource] as number;
      this.parts.addConcept(rows, first, rows.resourceEnd[resource] as number, "tenant");
    }
    return this.text("tenant") ?? "";
  }

  private scopeOf({ view, scope, scopeName, scopeNameLength }: SpanRows, span: number): string {
    const index = scope[span] as number;
    const length = scopeNameLength[index] as number;
    const { strings } = this.state;
    return strings.text(strings.intern(view, scopeName[index] as number, length));
  }

  private eventNumber(rows: SpanRows, { first, end }: CallEvent, concept: Concept) {
    this.eventParts.collect(rows, first, end);
    const [at] = this.eventParts.of(concept).at;
    return at === undefined ? undefined : this.values.number(at);
  }

  /** Whoever judges a prediction or a trace judges what was answered, not what was looked up. */
  private keysOf(rows: SpanRows, span: number, activity: Activity, call: CountedCall): string[] {
    const trace = idAt(rows, rows.traceId[span] as number, 16);
    const own = spanKey(trace, idAt(rows, rows.spanId[span] as number, 8));
    const ids = (concept: Concept) => {
      const id = this.word(concept);
      return id === "" ? [] : [idKey(id)];
    };
    const known = own === call.key ? [] : [call.key];
    if (activity !== "inference") return [...known, own, ...ids("responseId")];
    // A further report with one too many leaves out its trace, of which the first one has told.
    return [...known, own, ...ids("predictionId"), ...ids("responseId"), spanKey(trace)];
  }

  /** A word that is to be a part of names. */
  private word(concept: Concept): string {
    const [at] = this.parts.of(concept).at;
    return (at === undefined ? undefined : this.values.name(at)) ?? "";
  }

  private text(concept: Concept): string | undefined {
    const [at] = this.parts.of(concept).at;
    return at === undefined ? undefined : this.values.text(at);
  }

  private value(concept: Concept): number | undefined {
    const [at] = this.parts.of(concept).at;
    return at === undefined ? undefined : this.values.number(at);
  }

  /** A duration: the table says which attributes give milliseconds. */
  private seconds(concept: Concept): number | undefined {
    const value = this.value(concept);
    const form = DIALECT_ATTRIBUTES[this.parts.of(concept).row]?.form;
    return value === undefined || form !== "ms" ? value : value / MS_PER_S;
  }

  private begin({ keys, model }: CountedCall, rows: SpanRows, span: number): void {
    this.counted = keys;
    this.added.length = 0;
    this.model = model;
    this.tenant = this.tenantOf(rows, span);
    const { place } = this;
    place.view = rows.view;
    place.traceOffset = rows.traceId[span] as number;
    place.spanOffset = rows.spanId[span] as number;
    place.timeMs = rows.startMs[span] as number;
  }

  private end({ keys }: CountedCall): void {
    for (const key of this.added) keys.add(key);
  }

  /** The id of a signal that no other report of the call has given; else negative. */
  private open(key: CallSignalKey): number {
    if (this.counted.has(key)) return -1;
    this.added.push(key);
    return this.ids.get(key) as number;
  }

  private number(key: CallSignalKey, value: number): void {
    const id = this.open(key);
    if (id >= 0) this.out.addNumber(id, value < 0 ? Number.NaN : value);
  }

  /** @returns whether there was a value, and it counts */
  private optional(key: CallSignalKey, value: number | undefined): boolean {
    if (value === undefined) return false;
    const id = this.open(key);
    if (id < 0) return false;
    this.out.addNumber(id, value < 0 ? Number.NaN : value);
    return value >= 0;
  }

  private latency(key: CallLatency, seconds: number | undefined): void {
    if (!this.optional(key, seconds)) return;
    this.model.callLatencies.add(key, this.tenant, seconds as number, this.place);
  }

  private event(key: CallSignalKey, happened: boolean): void {
    const id = this.open(key);
    if (id >= 0) this.out.addEvent(id, happened);
  }

  private name(key: CallSignalKey, name: string | undefined): void {
    const id = name === undefined ? -1 : this.open(key);
    if (id >= 0) this.out.addName(id, name as string);
  }
}
