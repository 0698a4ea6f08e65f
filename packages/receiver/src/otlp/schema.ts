/**
 * The part of OTLP's schema that is not on the hot path: encoding, the responses and google.rpc.
 * https://github.com/open-telemetry/opentelemetry-proto (v1, field numbers as published)
 *
 * It is data for protobufjs, so that there is no generated code and no .proto file to ship.
 */
import protobuf from "protobufjs";

const field = (type: string, id: number) => ({ type, id });
const list = (type: string, id: number) => ({ rule: "repeated", type, id });

const ANY_VALUE_FIELDS = {
  stringValue: field("string", 1),
  boolValue: field("bool", 2),
  intValue: field("int64", 3),
  doubleValue: field("double", 4),
  arrayValue: field("ArrayValue", 5),
  kvlistValue: field("KeyValueList", 6),
  bytesValue: field("bytes", 7),
};

const SPAN_FIELDS = {
  traceId: field("bytes", 1),
  spanId: field("bytes", 2),
  traceState: field("string", 3),
  parentSpanId: field("bytes", 4),
  name: field("string", 5),
  kind: field("uint32", 6),
  startTimeUnixNano: field("fixed64", 7),
  endTimeUnixNano: field("fixed64", 8),
  attributes: list("KeyValue", 9),
  droppedAttributesCount: field("uint32", 10),
  events: list("Event", 11),
  droppedEventsCount: field("uint32", 12),
  links: list("Link", 13),
  droppedLinksCount: field("uint32", 14),
  status: field("SpanStatus", 15),
  flags: field("fixed32", 16),
};

const EVENT_FIELDS = {
  timeUnixNano: field("fixed64", 1),
  name: field("string", 2),
  attributes: list("KeyValue", 3),
  droppedAttributesCount: field("uint32", 4),
};

const LINK_FIELDS = {
  traceId: field("bytes", 1),
  spanId: field("bytes", 2),
  traceState: field("string", 3),
  attributes: list("KeyValue", 4),
  droppedAttributesCount: field("uint32", 5),
  flags: field("fixed32", 6),
};

const SCOPE_FIELDS = {
  name: field("string", 1),
  version: field("string", 2),
  attributes: list("KeyValue", 3),
  droppedAttributesCount: field("uint32", 4),
};

const LOG_RECORD_FIELDS = {
  timeUnixNano: field("fixed64", 1),
  severityNumber: field("uint32", 2),
  severityText: field("string", 3),
  body: field("AnyValue", 5),
  attributes: list("KeyValue", 6),
  droppedAttributesCount: field("uint32", 7),
  flags: field("fixed32", 8),
  traceId: field("bytes", 9),
  spanId: field("bytes", 10),
  observedTimeUnixNano: field("fixed64", 11),
  eventName: field("string", 12),
};

const root = protobuf.Root.fromJSON({
  nested: {
    AnyValue: {
      oneofs: { value: { oneof: Object.keys(ANY_VALUE_FIELDS) } },
      fields: ANY_VALUE_FIELDS,
    },
    ArrayValue: { fields: { values: list("AnyValue", 1) } },
    KeyValueList: { fields: { values: list("KeyValue", 1) } },
    KeyValue: { fields: { key: field("string", 1), value: field("AnyValue", 2) } },
    Scope: { fields: SCOPE_FIELDS },
    Resource: {
      fields: { attributes: list("KeyValue", 1), droppedAttributesCount: field("uint32", 2) },
    },
    SpanStatus: { fields: { message: field("string", 2), code: field("uint32", 3) } },
    Event: { fields: EVENT_FIELDS },
    Link: { fields: LINK_FIELDS },
    Span: { fields: SPAN_FIELDS },
    ScopeSpans: {
      fields: { scope: field("Scope", 1), spans: list("Span", 2), schemaUrl: field("string", 3) },
    },
    ResourceSpans: {
      fields: {
        resource: field("Resource", 1),
        scopeSpans: list("ScopeSpans", 2),
        schemaUrl: field("string", 3),
      },
    },
    ExportTraceServiceRequest: { fields: { resourceSpans: list("ResourceSpans", 1) } },
    LogRecord: { fields: LOG_RECORD_FIELDS },
    ScopeLogs: {
      fields: {
        scope: field("Scope", 1),
        logRecords: list("LogRecord", 2),
        schemaUrl: field("string", 3),
      },
    },
    ResourceLogs: {
      fields: {
        resource: field("Resource", 1),
        scopeLogs: list("ScopeLogs", 2),
        schemaUrl: field("string", 3),
      },
    },
    ExportLogsServiceRequest: { fields: { resourceLogs: list("ResourceLogs", 1) } },
    ExportTracePartialSuccess: {
      fields: { rejectedSpans: field("int64", 1), errorMessage: field("string", 2) },
    },
    ExportTraceServiceResponse: {
      fields: { partialSuccess: field("ExportTracePartialSuccess", 1) },
    },
    Any: { fields: { typeUrl: field("string", 1), value: field("bytes", 2) } },
    Duration: { fields: { seconds: field("int64", 1), nanos: field("int32", 2) } },
    FieldViolation: { fields: { field: field("string", 1), description: field("string", 2) } },
    BadRequest: { fields: { fieldViolations: list("FieldViolation", 1) } },
    RetryInfo: { fields: { retryDelay: field("Duration", 1) } },
    Status: {
      fields: { code: field("int32", 1), message: field("string", 2), details: list("Any", 3) },
    },
  },
});

/** `ExportTraceServiceRequest`, by reflection. */
export const TraceRequest = root.lookupType("ExportTraceServiceRequest");

/** `ExportLogsServiceRequest`. */
export const LogsRequest = root.lookupType("ExportLogsServiceRequest");

/** One record of it. */
export const LogRecordMessage = root.lookupType("LogRecord");

/** `ExportTraceServiceResponse`. */
export const TraceResponse = root.lookupType("ExportTraceServiceResponse");

/** `google.rpc.Status`, the body of every failed OTLP/HTTP request. */
export const RpcStatus = root.lookupType("Status");

/** `google.rpc.BadRequest`, a detail of a Status. */
export const BadRequest = root.lookupType("BadRequest");

/** `google.rpc.RetryInfo`, a detail of a Status. */
export const RetryInfo = root.lookupType("RetryInfo");
