/**
 * This package's own spans, where the SDK is the one it has started: made for the cheap way out.
 * The SDK's spans cost 3 us before anything is exported, for ids, two copies of the attributes, a
 * sampler and a clock; these do what the defaults of the SDK would do, and no more.
 */
import { randomFillSync } from "node:crypto";
import type {
  Attributes,
  AttributeValue,
  Context,
  HrTime,
  Link,
  Span,
  SpanContext,
  SpanOptions,
  SpanStatus,
  TimeInput,
} from "@opentelemetry/api";
import {
  INVALID_SPAN_CONTEXT,
  isSpanContextValid,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";
import type { SpanStarter } from "../host-api.js";
import { isSuppressed, SCOPE } from "../host-api.js";
import type { Scope } from "./span-batch.js";
import type { EndedSpan } from "./span-bytes.js";

/** The SDK's own bounds. */
const ATTRIBUTES_MAX = 128;
const EVENTS_MAX = 128;
const LINKS_MAX = 128;

const UNSAMPLED = 0;
const SAMPLED = 1;
const TRACE_ID_BYTES = 16;
const SPAN_ID_BYTES = 8;
/** 512 spans that are roots take this many random bytes. */
const RANDOM_BYTES = 12_288;
const MS_PER_S = 1000;
const NS_PER_MS = 1e6;
const NS_PER_S = 1e9;
/** How far the wall clock may run away from the steady one before it is followed. */
const CLOCK_DRIFT_MS = 2;

/** Takes the spans that have ended. */
export interface SpanSink {
  add(span: EndedSpan, scope: Scope): void;
}

const scope: Scope = { name: SCOPE };

/**
 * Starts spans that end in `sink`: all of them, but for children of unsampled ones. The attributes
 * that a span starts with become its own: they are not copied.
 */
export function ownSpans(sink: SpanSink): SpanStarter {
  return {
    startSpan(name: string, options: SpanOptions = {}, context?: Context): Span {
      if (context !== undefined && isSuppressed(context)) {
        return trace.wrapSpanContext(INVALID_SPAN_CONTEXT);
      }
      const active = context && trace.getSpanContext(context);
      const parent = active && isSpanContextValid(active) ? active : undefined;
      const traceId = parent?.traceId ?? randomId(TRACE_ID_BYTES);
      const spanId = randomId(SPAN_ID_BYTES);
      const sampled = parent === undefined || (parent.traceFlags & SAMPLED) !== 0;
      const own: SpanContext = { traceId, spanId, traceFlags: sampled ? SAMPLED : UNSAMPLED };
      if (parent?.traceState) own.traceState = parent.traceState;
      if (!sampled) return trace.wrapSpanContext(own);
      return new OwnSpan(sink, name, own, parent, options);
    },
  };
}

class OwnSpan implements Span, EndedSpan {
  name: string;
  readonly kind: number;
  readonly parentSpanContext: SpanContext | undefined;
  readonly startTime: HrTime;
  endTime: HrTime = [0, 0];
  status: SpanStatus = { code: SpanStatusCode.UNSET };
  readonly attributes: Attributes;
  readonly links: Link[] = [];
  readonly events: { name: string; time: HrTime; attributes: Attributes }[] = [];
  droppedAttributesCount = 0;
  droppedEventsCount = 0;
  droppedLinksCount = 0;
  private readonly sink: SpanSink;
  private readonly own: SpanContext;
  /** Counted when the first one is added to those from the start. */
  private attributeCount = -1;
  private ended = false;

  constructor(
    sink: SpanSink,
    name: string,
    own: SpanContext,
    parent: SpanContext | undefined,
    options: SpanOptions,
  ) {
    this.sink = sink;
    this.name = name;
    this.own = own;
    this.parentSpanContext = parent;
    this.kind = options.kind ?? 0;
    this.startTime = options.startTime === undefined ? now() : timeOf(options.startTime);
    this.attributes = options.attributes ?? {};
    if (options.links) this.addLinks(options.links);
  }

  spanContext(): SpanContext {
    return this.own;
  }

  setAttribute(key: string, value: AttributeValue): this {
    if (this.ended || value === undefined || value === null) return this;
    const { attributes } = this;
    if (attributes[key] === undefined) {
      if (this.attributeCount < 0) this.attributeCount = Object.keys(attributes).length;
      if (this.attributeCount >= ATTRIBUTES_MAX) {
        this.droppedAttributesCount++;
        return this;
      }
      this.attributeCount++;
    }
    attributes[key] = value;
    return this;
  }

  setAttributes(attributes: Attributes): this {
    // oxlint-disable-next-line guard-for-in -- plain objects, and it is the fastest way
    for (const key in attributes) this.setAttribute(key, attributes[key]);
    return this;
  }

  addEvent(name: string, attributesOrTime?: Attributes | TimeInput, at?: TimeInput): this {
    if (this.ended) return this;
    if (this.events.length >= EVENTS_MAX) {
      this.droppedEventsCount++;
      return this;
    }
    const timeOnly =
      typeof attributesOrTime === "number" ||
      attributesOrTime instanceof Date ||
      Array.isArray(attributesOrTime);
    const attributes = timeOnly ? {} : { ...attributesOrTime };
    const time = at ?? (timeOnly ? attributesOrTime : undefined);
    this.events.push({ name, time: time === undefined ? now() : timeOf(time), attributes });
    return this;
  }

  addLink(link: Link): this {
    if (this.ended) return this;
    if (this.links.length < LINKS_MAX) this.links.push(link);
    else this.droppedLinksCount++;
    return this;
  }

  addLinks(links: Link[]): this {
    for (const link of links) this.addLink(link);
    return this;
  }

  setStatus(status: SpanStatus): this {
    const { UNSET, OK } = SpanStatusCode;
    if (!this.ended && status.code !== UNSET && this.status.code !== OK)
      this.status = { ...status };
    return this;
  }

  updateName(name: string): this {
    if (!this.ended) this.name = name;
    return this;
  }

  end(endTime?: TimeInput): void {
    if (this.ended) return;
    const end = endTime === undefined ? now() : timeOf(endTime);
    this.endTime = isBefore(end, this.startTime) ? this.startTime : end;
    this.ended = true;
    this.sink.add(this, scope);
  }

  isRecording(): boolean {
    return !this.ended;
  }

  recordException(exception: unknown, time?: TimeInput): void {
    const { name, message, stack } = (
      typeof exception === "string" ? { message: exception } : (exception ?? {})
    ) as { name?: string; message?: string; stack?: string };
    const attributes: Attributes = {};
    if (name) attributes["exception.type"] = name;
    if (message) attributes["exception.message"] = message;
    if (stack) attributes["exception.stacktrace"] = stack;
    this.addEvent("exception", attributes, time);
  }
}

const random = Buffer.alloc(RANDOM_BYTES);
let randomUsed = RANDOM_BYTES;

/** A random id in hexadecimal; all zeros, which would not be valid, has chance 2^-64. */
function randomId(bytes: number): string {
  if (randomUsed + bytes > RANDOM_BYTES) {
    randomFillSync(random);
    randomUsed = 0;
  }
  randomUsed += bytes;
  return random.toString("hex", randomUsed - bytes, randomUsed);
}

let clockOffsetMs = Date.now() - performance.now();

/** The time by the steady clock, which follows the wall clock where they part. */
function now(): HrTime {
  const steadyMs = performance.now();
  const drift = Date.now() - steadyMs - clockOffsetMs;
  if (drift > CLOCK_DRIFT_MS || drift < -CLOCK_DRIFT_MS) clockOffsetMs += drift;
  return hrTime(clockOffsetMs + steadyMs);
}

function timeOf(input: TimeInput): HrTime {
  if (Array.isArray(input)) return input;
  if (input instanceof Date) return hrTime(input.getTime());
  // A number below the process's age is a reading of performance.now().
  return hrTime(input <= performance.now() ? clockOffsetMs + input : input);
}

function hrTime(epochMs: number): HrTime {
  const seconds = Math.floor(epochMs / MS_PER_S);
  return [seconds, Math.floor((epochMs - seconds * MS_PER_S) * NS_PER_MS) % NS_PER_S];
}

function isBefore(a: HrTime, b: HrTime): boolean {
  return a[0] < b[0] || (a[0] === b[0] && a[1] < b[1]);
}
