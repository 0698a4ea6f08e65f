/**
 * This package's own spans, where the SDK is the one it has started: made for the cheap way out.
 * The SDK's spans cost 3 us before anything is exported, for ids, two copies of the attributes, a
 * sampler and a clock; these do what the defaults of the SDK would do, and no more.
 */
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
import { SpanId, TraceId } from "./binary-ids.js";
import type { ByteWriter } from "./byte-writer.js";
import type { Scope } from "./span-batch.js";
import type { EndedSpan, OwnHead, SpanBody } from "./span-bytes.js";
import {
  END_TIME,
  PARENT_SPAN_ID,
  SPAN_ID,
  START_TIME,
  TRACE_ID,
  writeFlags,
  writeTraceState,
} from "./span-bytes.js";

/** The SDK's own bounds. */
const ATTRIBUTES_MAX = 128;
const EVENTS_MAX = 128;
const LINKS_MAX = 128;

const UNSAMPLED = 0;
const SAMPLED = 1;
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
      const active = context && trace.getSpan(context);
      if (active instanceof OwnSpan) return new OwnSpan(sink, name, active, options);
      const parent = active?.spanContext();
      if (parent === undefined || !isSpanContextValid(parent)) {
        return new OwnSpan(sink, name, undefined, options);
      }
      if ((parent.traceFlags & SAMPLED) !== 0) {
        return new OwnSpan(sink, name, parentOf(parent), options);
      }
      const { traceId, traceState } = parent;
      const spanId = new SpanId().toString();
      return trace.wrapSpanContext({
        traceId,
        spanId,
        traceFlags: UNSAMPLED,
        ...(traceState && { traceState }),
      });
    },
  };
}

/** What a span takes from the one that it is a child of. */
interface Parent {
  readonly traceId: TraceId;
  readonly spanId: SpanId;
  readonly traceState: SpanContext["traceState"];
  readonly isRemote: boolean;
}

function parentOf({ traceId, spanId, traceState, isRemote = false }: SpanContext): Parent {
  return { traceId: TraceId.of(traceId), spanId: SpanId.of(spanId), traceState, isRemote };
}

class OwnSpan implements Span, SpanBody, OwnHead, Parent {
  readonly traceId: TraceId;
  readonly spanId = new SpanId();
  readonly traceState: SpanContext["traceState"];
  readonly isRemote = false;
  name: string;
  readonly kind: number;
  /** In milliseconds since 1970, to a quarter of a microsecond. */
  private readonly startMs: number;
  private endMs = 0;
  status: SpanStatus = { code: SpanStatusCode.UNSET };
  readonly attributes: Attributes;
  readonly links: Link[] = [];
  readonly events: { name: string; time: HrTime; attributes: Attributes }[] = [];
  droppedAttributesCount = 0;
  droppedEventsCount = 0;
  droppedLinksCount = 0;
  private readonly sink: SpanSink;
  private readonly parentId: SpanId | undefined;
  private readonly parentIsRemote: boolean;
  /** Made when somebody asks for it. */
  private context: SpanContext | undefined;
  /** Counted when the first one is added to those from the start. */
  private attributeCount = -1;
  private ended = false;

  constructor(sink: SpanSink, name: string, parent: Parent | undefined, options: SpanOptions) {
    this.sink = sink;
    this.name = name;
    this.traceId = parent?.traceId ?? new TraceId();
    this.traceState = parent?.traceState;
    this.parentId = parent?.spanId;
    this.parentIsRemote = parent?.isRemote ?? false;
    this.kind = options.kind ?? 0;
    this.startMs = options.startTime === undefined ? nowMs() : msOf(options.startTime);
    this.attributes = options.attributes ?? {};
    if (options.links) this.addLinks(options.links);
  }

  spanContext(): SpanContext {
    if (this.context !== undefined) return this.context;
    const { traceState } = this;
    this.context = {
      traceId: this.traceId.toString(),
      spanId: this.spanId.toString(),
      traceFlags: SAMPLED,
      ...(traceState && { traceState }),
    };
    return this.context;
  }

  writeHead(writer: ByteWriter): void {
    writer.byte(TRACE_ID);
    this.traceId.write(writer);
    writer.byte(SPAN_ID);
    this.spanId.write(writer);
    if (this.parentId) {
      writer.byte(PARENT_SPAN_ID);
      this.parentId.write(writer);
    }
    writer.byte(START_TIME);
    writer.nanoseconds(this.startMs);
    writer.byte(END_TIME);
    writer.nanoseconds(this.endMs);
    writeFlags(writer, SAMPLED, this.parentIsRemote);
    if (this.traceState) writeTraceState(writer, this.traceState);
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
    const timeMs = time === undefined ? nowMs() : msOf(time);
    this.events.push({ name, time: hrTime(timeMs), attributes });
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
    // Not by the wall clock, which may have been set meanwhile.
    const endMs = endTime === undefined ? clockOffsetMs + performance.now() : msOf(endTime);
    this.endMs = Math.max(endMs, this.startMs);
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

let clockOffsetMs = Date.now() - performance.now();

/** The time by the steady clock, which follows the wall clock where they part. */
function nowMs(): number {
  const steadyMs = performance.now();
  const drift = Date.now() - steadyMs - clockOffsetMs;
  if (drift > CLOCK_DRIFT_MS || drift < -CLOCK_DRIFT_MS) clockOffsetMs += drift;
  return clockOffsetMs + steadyMs;
}

function msOf(input: TimeInput): number {
  if (Array.isArray(input)) return input[0] * MS_PER_S + input[1] / NS_PER_MS;
  if (input instanceof Date) return input.getTime();
  // A number below the process's age is a reading of performance.now().
  return input <= performance.now() ? clockOffsetMs + input : input;
}

function hrTime(epochMs: number): HrTime {
  const seconds = Math.floor(epochMs / MS_PER_S);
  return [seconds, Math.floor((epochMs - seconds * MS_PER_S) * NS_PER_MS) % NS_PER_S];
}
