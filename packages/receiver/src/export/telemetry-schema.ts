/** OTLP's requests for spans and log records that we tell of ourselves, for protobufjs. */
import protobuf from "protobufjs";

const field = (type: string, id: number) => ({ type, id });
const list = (type: string, id: number) => ({ rule: "repeated", type, id });

const root = protobuf.Root.fromJSON({
  nested: {
    KeyValue: { fields: { key: field("string", 1), value: field("AnyValue", 2) } },
    AnyValue: {
      oneofs: { value: { oneof: ["stringValue", "intValue", "doubleValue"] } },
      fields: {
        stringValue: field("string", 1),
        intValue: field("int64", 3),
        doubleValue: field("double", 4),
      },
    },
    Resource: { fields: { attributes: list("KeyValue", 1) } },
    Scope: { fields: { name: field("string", 1) } },
    LogRecord: {
      fields: {
        timeUnixNano: field("fixed64", 1),
        severityNumber: field("uint32", 2),
        severityText: field("string", 3),
        body: field("AnyValue", 5),
        attributes: list("KeyValue", 6),
        traceId: field("bytes", 9),
        spanId: field("bytes", 10),
        observedTimeUnixNano: field("fixed64", 11),
        eventName: field("string", 12),
      },
    },
    ScopeLogs: { fields: { scope: field("Scope", 1), logRecords: list("LogRecord", 2) } },
    ResourceLogs: { fields: { resource: field("Resource", 1), scopeLogs: list("ScopeLogs", 2) } },
    LogsRequest: { fields: { resourceLogs: list("ResourceLogs", 1) } },
  },
});

/** `ExportLogsServiceRequest`, as far as we write it. */
export const LogsRequest = root.lookupType("LogsRequest");

/** An attribute as OTLP has it; whole numbers that are counts go as integers. */
export function keyValue(key: string, value: string | number, isInteger = false): object {
  if (typeof value === "string") return { key, value: { stringValue: value } };
  return { key, value: isInteger ? { intValue: value } : { doubleValue: value } };
}

/** Nanoseconds since the epoch, as a decimal string. */
export function unixNano(ms: number): string {
  return String(BigInt(Math.round(ms)) * 1_000_000n);
}
