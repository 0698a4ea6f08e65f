/**
 * Makes spans of the log records that are evaluations, so that everything behind this reads them as
 * it reads those that are spans' events: one code path.
 * https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-events/#event-gen_aievaluationresult
 */
import { createHash } from "node:crypto";
import { GEN_AI } from "@tidemark/semconv";
import { LogRecordMessage, LogsRequest, TraceRequest } from "./schema.js";

const TRACE_BYTES = 16;
const SPAN_BYTES = 8;
const NEEDLE = Buffer.from(GEN_AI.evaluationName);
/** How an event says its name in records that have no field for it. */
const EVENT_NAME = "event.name";

/** A 64-bit number as protobufjs reads it. */
interface Nanos {
  readonly low: number;
  readonly high: number;
}

interface LogRecord {
  readonly timeUnixNano?: Nanos;
  readonly observedTimeUnixNano?: Nanos;
  readonly traceId: Uint8Array;
  readonly spanId: Uint8Array;
  readonly eventName: string;
  readonly attributes: readonly {
    readonly key: string;
    readonly value?: { stringValue?: string };
  }[];
}

interface Logs {
  readonly resourceLogs: readonly {
    readonly resource?: object;
    readonly scopeLogs: readonly {
      readonly scope?: object;
      readonly logRecords: readonly LogRecord[];
    }[];
  }[];
}

/**
 * The evaluations among the records of a request that has been checked.
 * @returns a trace request; undefined when there are none, which costs one search
 */
export function evaluationSpans(logs: Uint8Array): Uint8Array | undefined {
  if (!Buffer.from(logs.buffer, logs.byteOffset, logs.length).includes(NEEDLE)) return undefined;
  const { resourceLogs } = LogsRequest.decode(logs) as unknown as Logs;
  const resourceSpans = resourceLogs.flatMap(({ resource, scopeLogs }) => {
    const scopeSpans = scopeLogs.flatMap(({ scope, logRecords }) => {
      const spans = logRecords.filter(isEvaluation).map(spanOf);
      return spans.length === 0 ? [] : [{ scope, spans }];
    });
    return scopeSpans.length === 0 ? [] : [{ resource, scopeSpans }];
  });
  if (resourceSpans.length === 0) return undefined;
  return TraceRequest.encode({ resourceSpans }).finish();
}

function isEvaluation({ eventName, attributes }: LogRecord): boolean {
  const name = eventName || attributes.find(({ key }) => key === EVENT_NAME)?.value?.stringValue;
  return name === GEN_AI.evaluationEvent;
}

/**
 * A child of the span that the record was written in. It is named by what it says, so that a record
 * that is delivered twice is one span.
 */
function spanOf(record: LogRecord): object {
  const bytes = LogRecordMessage.encode(record).finish();
  const hash = createHash("sha256").update(bytes).digest();
  const isOfSpan = isId(record.traceId, TRACE_BYTES) && isId(record.spanId, SPAN_BYTES);
  const time = isZero(record.timeUnixNano) ? record.observedTimeUnixNano : record.timeUnixNano;
  return {
    traceId: isId(record.traceId, TRACE_BYTES) ? record.traceId : hash.subarray(0, TRACE_BYTES),
    spanId: hash.subarray(TRACE_BYTES, TRACE_BYTES + SPAN_BYTES),
    ...(isOfSpan && { parentSpanId: record.spanId }),
    name: GEN_AI.evaluationEvent,
    startTimeUnixNano: time,
    endTimeUnixNano: time,
    attributes: record.attributes,
  };
}

function isId(id: Uint8Array, length: number): boolean {
  return id.length === length && id.some((byte) => byte !== 0);
}

function isZero(nanos: Nanos | undefined): boolean {
  return nanos === undefined || (nanos.low === 0 && nanos.high === 0);
}
