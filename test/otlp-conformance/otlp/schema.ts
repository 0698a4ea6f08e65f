/**
 * OTLP's messages as data: for each its fields, with number and type as published.
 * https://github.com/open-telemetry/opentelemetry-proto (v1)
 *
 * Only what the suite sends or reads is here: traces in full, of logs and metrics enough for one
 * record, and google.rpc.Status with the two details that OTLP speaks of.
 */

/** `id` is bytes that JSON writes as hex; every other byte string is base64 there. */
export type ScalarType =
  | "string"
  | "bool"
  | "bytes"
  | "id"
  | "int64"
  | "uint32"
  | "fixed32"
  | "fixed64"
  | "double";

/** The messages that are here. */
export type MessageName =
  | "TraceRequest"
  | "ResourceSpans"
  | "ScopeSpans"
  | "Span"
  | "Event"
  | "Link"
  | "SpanStatus"
  | "Resource"
  | "Scope"
  | "KeyValue"
  | "AnyValue"
  | "ArrayValue"
  | "KeyValueList"
  | "LogsRequest"
  | "ResourceLogs"
  | "ScopeLogs"
  | "LogRecord"
  | "MetricsRequest"
  | "ResourceMetrics"
  | "ScopeMetrics"
  | "Metric"
  | "Gauge"
  | "NumberDataPoint"
  | "ExportResponse"
  | "PartialSuccess"
  | "Status"
  | "Any";

/** A field of a message; `type` is a scalar or the name of another message. */
export interface Field {
  readonly number: number;
  readonly type: ScalarType | MessageName;
  readonly repeated: boolean;
}

/** A message as a program holds it: 64-bit integers are bigints, byte strings are Buffers. */
export type Message = { readonly [field: string]: unknown };

const one = (number: number, type: ScalarType | MessageName): Field => ({
  number,
  type,
  repeated: false,
});
const many = (number: number, type: ScalarType | MessageName): Field => ({
  number,
  type,
  repeated: true,
});

const ATTRIBUTES = (number: number) => ({
  attributes: many(number, "KeyValue"),
  droppedAttributesCount: one(number + 1, "uint32"),
});

const TRACES = {
  TraceRequest: { resourceSpans: many(1, "ResourceSpans") },
  ResourceSpans: {
    resource: one(1, "Resource"),
    scopeSpans: many(2, "ScopeSpans"),
    schemaUrl: one(3, "string"),
  },
  ScopeSpans: { scope: one(1, "Scope"), spans: many(2, "Span"), schemaUrl: one(3, "string") },
  Span: {
    traceId: one(1, "id"),
    spanId: one(2, "id"),
    traceState: one(3, "string"),
    parentSpanId: one(4, "id"),
    name: one(5, "string"),
    kind: one(6, "uint32"),
    startTimeUnixNano: one(7, "fixed64"),
    endTimeUnixNano: one(8, "fixed64"),
    ...ATTRIBUTES(9),
    events: many(11, "Event"),
    droppedEventsCount: one(12, "uint32"),
    links: many(13, "Link"),
    droppedLinksCount: one(14, "uint32"),
    status: one(15, "SpanStatus"),
    flags: one(16, "fixed32"),
  },
  Event: { timeUnixNano: one(1, "fixed64"), name: one(2, "string"), ...ATTRIBUTES(3) },
  Link: {
    traceId: one(1, "id"),
    spanId: one(2, "id"),
    traceState: one(3, "string"),
    ...ATTRIBUTES(4),
    flags: one(6, "fixed32"),
  },
  SpanStatus: { message: one(2, "string"), code: one(3, "uint32") },
};

const SHARED = {
  Resource: ATTRIBUTES(1),
  Scope: { name: one(1, "string"), version: one(2, "string"), ...ATTRIBUTES(3) },
  KeyValue: { key: one(1, "string"), value: one(2, "AnyValue") },
  AnyValue: {
    stringValue: one(1, "string"),
    boolValue: one(2, "bool"),
    intValue: one(3, "int64"),
    doubleValue: one(4, "double"),
    arrayValue: one(5, "ArrayValue"),
    kvlistValue: one(6, "KeyValueList"),
    bytesValue: one(7, "bytes"),
  },
  ArrayValue: { values: many(1, "AnyValue") },
  KeyValueList: { values: many(1, "KeyValue") },
};

const LOGS = {
  LogsRequest: { resourceLogs: many(1, "ResourceLogs") },
  ResourceLogs: { resource: one(1, "Resource"), scopeLogs: many(2, "ScopeLogs") },
  ScopeLogs: { scope: one(1, "Scope"), logRecords: many(2, "LogRecord") },
  LogRecord: {
    timeUnixNano: one(1, "fixed64"),
    severityNumber: one(2, "uint32"),
    severityText: one(3, "string"),
    body: one(5, "AnyValue"),
  },
};

const METRICS = {
  MetricsRequest: { resourceMetrics: many(1, "ResourceMetrics") },
  ResourceMetrics: { resource: one(1, "Resource"), scopeMetrics: many(2, "ScopeMetrics") },
  ScopeMetrics: { scope: one(1, "Scope"), metrics: many(2, "Metric") },
  Metric: { name: one(1, "string"), gauge: one(5, "Gauge") },
  Gauge: { dataPoints: many(1, "NumberDataPoint") },
  NumberDataPoint: { timeUnixNano: one(3, "fixed64"), asDouble: one(4, "double") },
};

const ANSWERS = {
  ExportResponse: { partialSuccess: one(1, "PartialSuccess") },
  PartialSuccess: { rejected: one(1, "int64"), errorMessage: one(2, "string") },
  Status: {
    code: one(1, "uint32"),
    message: one(2, "string"),
    details: many(3, "Any"),
  },
  Any: { typeUrl: one(1, "string"), value: one(2, "bytes") },
};

/** Every message's fields by their JSON names. */
export const SCHEMA: Readonly<Record<MessageName, Readonly<Record<string, Field>>>> = {
  ...TRACES,
  ...SHARED,
  ...LOGS,
  ...METRICS,
  ...ANSWERS,
};

/** Whether a field's type is another message. */
export function isMessage(type: Field["type"]): type is MessageName {
  return Object.hasOwn(SCHEMA, type);
}
