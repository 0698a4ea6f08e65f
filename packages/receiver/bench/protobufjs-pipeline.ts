/**
 * What the receiver does between HTTP and its summaries, as one would build it from parts: the
 * generated protobufjs decoder, sets, maps, and a DDSketch for each signal and minute. It does the
 * same work: no span counts twice, and values are summed up by model, version, signal and minute.
 */
import { DDSketch } from "@datadog/sketches-js";
import type { DecodedAttribute, DecodedSpan, DecodedValue } from "./trace-bodies.ts";
import { ExportTraceServiceRequest } from "./trace-bodies.ts";

const ACCURACY = { relativeAccuracy: 0.01 };
const MINUTE_MS = 60_000;
const STATUS_ERROR = 2;

interface Summary {
  readonly numbers: DDSketch;
  readonly categories: Map<string, number>;
}

interface Model {
  successes: number;
  errors: number;
  readonly latencies: Map<string, DDSketch>;
  readonly missing: Map<string, number>;
  /** By name, and then by minute of event time. */
  readonly signals: Map<string, Map<number, Summary>>;
}

/** Takes bodies; its results are read by nobody, but it has them. */
export class ProtobufjsPipeline {
  private readonly models = new Map<string, Model>();
  private readonly horizon: number;
  /** Two generations, as in ours. */
  private recent = new Set<string>();
  private before = new Set<string>();

  constructor(recentSpans: number) {
    this.horizon = recentSpans;
  }

  take(body: Uint8Array): void {
    for (const { scopeSpans } of ExportTraceServiceRequest.decode(body).resourceSpans) {
      for (const { spans } of scopeSpans) for (const span of spans) this.takeSpan(span);
    }
  }

  private takeSpan(span: DecodedSpan): void {
    if (span.traceId?.length !== 16 || span.spanId?.length !== 8) return;
    let name: string | undefined;
    let version = "";
    let stage: string | undefined;
    for (const { key, value } of span.attributes) {
      if (key === "ml.model.name") name = value?.stringValue ?? undefined;
      else if (key === "ml.model.version") version = value?.stringValue ?? "";
      else if (key === "ml.stage") stage = value?.stringValue ?? undefined;
    }
    if (name === undefined || !this.isNew(span.traceId, span.spanId)) return;
    const model = this.model(name, version);
    const startMs = millisecondsOf(span.startTimeUnixNano);
    const endMs = millisecondsOf(span.endTimeUnixNano);
    if (stage !== undefined) sketchOf(model.latencies, stage).accept((endMs - startMs) / 1000);
    if (stage === "inference") {
      if (span.status?.code === STATUS_ERROR) model.errors++;
      else model.successes++;
    }
    const minute = Math.floor(Math.min(endMs, Date.now()) / MINUTE_MS);
    for (const attribute of span.attributes) takeAttribute(model, attribute, minute);
  }

  private isNew(traceId: Uint8Array, spanId: Uint8Array): boolean {
    const id = latin1(traceId) + latin1(spanId);
    if (this.recent.has(id) || this.before.has(id)) return false;
    this.recent.add(id);
    if (this.recent.size === this.horizon) {
      this.before = this.recent;
      this.recent = new Set();
    }
    return true;
  }

  private model(name: string, version: string): Model {
    const key = `${name}\n${version}`;
    let model = this.models.get(key);
    if (model === undefined) {
      const maps = { latencies: new Map(), missing: new Map(), signals: new Map() };
      model = { successes: 0, errors: 0, ...maps };
      this.models.set(key, model);
    }
    return model;
  }
}

function takeAttribute(model: Model, { key, value }: DecodedAttribute, minute: number): void {
  if (key === null || value === null) return;
  if (key === "ml.feature.missing") {
    for (const { stringValue } of value.arrayValue?.values ?? []) {
      if (stringValue) model.missing.set(stringValue, (model.missing.get(stringValue) ?? 0) + 1);
    }
    return;
  }
  if (!key.startsWith("ml.feature.") && !key.startsWith("ml.prediction.")) return;
  if (key === "ml.prediction.id") return;
  let panes = model.signals.get(key);
  if (panes === undefined) model.signals.set(key, (panes = new Map<number, Summary>()));
  let summary = panes.get(minute);
  if (summary === undefined) {
    summary = { numbers: new DDSketch(ACCURACY), categories: new Map() };
    panes.set(minute, summary);
  }
  for (const one of value.arrayValue?.values ?? [value]) add(summary, one);
}

function add({ numbers, categories }: Summary, value: DecodedValue): void {
  if (typeof value.doubleValue === "number") numbers.accept(value.doubleValue);
  else if (typeof value.stringValue === "string") {
    categories.set(value.stringValue, (categories.get(value.stringValue) ?? 0) + 1);
  } else if (typeof value.boolValue === "boolean") {
    const name = String(value.boolValue);
    categories.set(name, (categories.get(name) ?? 0) + 1);
  } else if (typeof value.intValue === "number") numbers.accept(value.intValue);
  else if (value.intValue) numbers.accept(numberOf(value.intValue));
}

function sketchOf(sketches: Map<string, DDSketch>, key: string): DDSketch {
  let sketch = sketches.get(key);
  if (sketch === undefined) sketches.set(key, (sketch = new DDSketch(ACCURACY)));
  return sketch;
}

function millisecondsOf(nanoseconds: { low: number; high: number }): number {
  return numberOf(nanoseconds) / 1e6;
}

function numberOf({ low, high }: { low: number; high: number }): number {
  return high * 2 ** 32 + (low >>> 0);
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}
