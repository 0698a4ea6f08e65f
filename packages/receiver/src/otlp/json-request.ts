/**
 * OTLP's JSON form of a request for traces or logs, turned into the binary form that everything
 * else reads; of a metrics request, only the outline.
 * https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
 *
 * It is the protobuf JSON mapping with its own rules: ids are hex, enums are integers, 64-bit
 * integers are numbers or strings, names are lowerCamelCase only, unknown fields are ignored.
 */
import { LogsRequest, TraceRequest } from "./schema.js";

/** Nesting of attribute values that is accepted; the binary reader has the same bound. */
const DEPTH_MAX = 31;
const HEX = /^(?:[0-9a-fA-F]{2})*$/;
const INTEGER = /^-?\d{1,20}$/;
/** Of an unknown name, in a message. */
const NAME_SHOWN_MAX = 64;
const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/;

/** A JSON body that is no trace request; the message begins with the place in it. */
export class JsonRequestError extends Error {
  override readonly name = "JsonRequestError";
  /** Such as `resourceSpans[0].scopeSpans`; empty for the body as a whole. */
  readonly field: string;

  constructor(field: string, complaint: string) {
    super(`${field || "the body"} ${complaint}`);
    this.field = field;
  }
}

type Read = (value: unknown, path: string, depth: number) => unknown;
type Fields = Readonly<Record<string, Read>>;

/** @throws JsonRequestError when the body is no JSON */
export function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString("utf8"));
  } catch (error) {
    throw new JsonRequestError("", `is no JSON: ${(error as Error).message}`);
  }
}

/**
 * Encodes an ExportTraceServiceRequest as protobuf.
 * @throws JsonRequestError when the JSON does not have the request's shape.
 */
export function encodeJsonRequest(json: unknown): Uint8Array {
  return TraceRequest.encode(request(json, "", 0) as object).finish();
}

/**
 * Encodes an ExportLogsServiceRequest as protobuf.
 * @throws JsonRequestError when the JSON does not have the request's shape.
 */
export function encodeJsonLogs(json: unknown): Uint8Array {
  return LogsRequest.encode(logsRequest(json, "", 0) as object).finish();
}

/**
 * Checks that JSON has the outline of an ExportMetricsServiceRequest, which is never read here.
 * @throws JsonRequestError when it has not
 */
export function checkJsonMetrics(json: unknown): void {
  metricsRequest(json, "", 0);
}

/**
 * What the sender of a JSON request should know that has nothing but unknown fields, such as logs
 * in place of traces or names in snake_case: these must be ignored, so it counts as an empty one.
 * @param wanted the one list of a request of this kind
 * @returns empty when there is nothing to say
 */
export function lossWarning(json: object, wanted: string): string {
  const [name] = Object.keys(json);
  if (name === undefined || Object.hasOwn(json, wanted)) return "";
  return `nothing is kept: the body has "${name.slice(0, NAME_SHOWN_MAX)}" and no "${wanted}"`;
}

function message(fields: Fields): Read {
  return (value, path, depth) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw new JsonRequestError(path, "must be an object");
    }
    const result: Record<string, unknown> = {};
    for (const [name, member] of Object.entries(value)) {
      const read = Object.hasOwn(fields, name) ? fields[name] : undefined;
      // In the protobuf JSON mapping null is the same as leaving the field out.
      if (read === undefined || member === null) continue;
      result[name] = read(member, path ? `${path}.${name}` : name, depth);
    }
    return result;
  };
}

function list(read: Read): Read {
  return (value, path, depth) => {
    if (!Array.isArray(value)) throw new JsonRequestError(path, "must be an array");
    return value.map((element, index) => read(element, `${path}[${index}]`, depth));
  };
}

const text: Read = (value, path) => {
  if (typeof value !== "string") throw new JsonRequestError(path, "must be a string");
  return value;
};

const flag: Read = (value, path) => {
  if (typeof value !== "boolean") throw new JsonRequestError(path, "must be true or false");
  return value;
};

const hex: Read = (value, path) => {
  if (typeof value !== "string" || !HEX.test(value)) {
    throw new JsonRequestError(path, "must be a string of hexadecimal digit pairs");
  }
  return Buffer.from(value, "hex");
};

const base64: Read = (value, path) => {
  if (typeof value !== "string" || !BASE64.test(value)) {
    throw new JsonRequestError(path, "must be base64");
  }
  return Buffer.from(value, "base64");
};

const uint32: Read = (value, path) => {
  const number = typeof value === "string" && INTEGER.test(value) ? Number(value) : value;
  if (
    typeof number !== "number" ||
    !Number.isInteger(number) ||
    number < 0 ||
    number > 2 ** 32 - 1
  ) {
    throw new JsonRequestError(path, "must be an integer from 0 to 4294967295");
  }
  return number;
};

const double: Read = (value, path) => {
  if (typeof value === "number") return value;
  if (value === "NaN" || value === "Infinity" || value === "-Infinity") return Number(value);
  if (typeof value === "string" && value.trim() !== "" && !Number.isNaN(Number(value))) {
    return Number(value);
  }
  throw new JsonRequestError(path, "must be a number");
};

function integer64(lowest: bigint, highest: bigint): Read {
  return (value, path) => {
    let number: bigint | undefined;
    if (typeof value === "number" && Number.isInteger(value)) number = BigInt(value);
    if (typeof value === "string" && INTEGER.test(value)) number = BigInt(value);
    if (number === undefined || number < lowest || number > highest) {
      throw new JsonRequestError(path, `must be an integer from ${lowest} to ${highest}`);
    }
    const low = Number(number & 0xffffffffn) | 0;
    return { low, high: Number((number >> 32n) & 0xffffffffn) | 0, unsigned: lowest === 0n };
  };
}

const int64 = integer64(-(2n ** 63n), 2n ** 63n - 1n);
const uint64 = integer64(0n, 2n ** 64n - 1n);

const anyValue: Read = (value, path, depth) => {
  if (depth > DEPTH_MAX) throw new JsonRequestError(path, "is nested too deeply");
  return anyValueFields(value, path, depth + 1);
};
const keyValue = message({ key: text, value: anyValue });
const keyValues = list(keyValue);
const anyValueFields = message({
  stringValue: text,
  boolValue: flag,
  intValue: int64,
  doubleValue: double,
  bytesValue: base64,
  arrayValue: message({ values: list(anyValue) }),
  kvlistValue: message({ values: keyValues }),
});

const attributes = { attributes: keyValues, droppedAttributesCount: uint32 };
const event = message({ timeUnixNano: uint64, name: text, ...attributes });
const ids = { traceId: hex, spanId: hex, traceState: text };
const link = message({ ...ids, ...attributes, flags: uint32 });
const span = message({
  ...ids,
  ...attributes,
  parentSpanId: hex,
  name: text,
  kind: uint32,
  startTimeUnixNano: uint64,
  endTimeUnixNano: uint64,
  events: list(event),
  droppedEventsCount: uint32,
  links: list(link),
  droppedLinksCount: uint32,
  status: message({ message: text, code: uint32 }),
  flags: uint32,
});
const scope = message({ name: text, version: text, ...attributes });
const scopeSpans = message({ scope, spans: list(span), schemaUrl: text });
const resource = message(attributes);
const resourceSpans = message({ resource, scopeSpans: list(scopeSpans), schemaUrl: text });
const request = message({ resourceSpans: list(resourceSpans) });

const logRecord = message({
  ...attributes,
  timeUnixNano: uint64,
  observedTimeUnixNano: uint64,
  severityNumber: uint32,
  severityText: text,
  body: anyValue,
  flags: uint32,
  traceId: hex,
  spanId: hex,
  eventName: text,
});
const scopeLogs = message({ scope, logRecords: list(logRecord), schemaUrl: text });
const resourceLogs = message({ resource, scopeLogs: list(scopeLogs), schemaUrl: text });
const logsRequest = message({ resourceLogs: list(resourceLogs) });

const scopeMetrics = message({ scope, metrics: list(message({ name: text })), schemaUrl: text });
const resourceMetrics = message({ resource, scopeMetrics: list(scopeMetrics), schemaUrl: text });
const metricsRequest = message({ resourceMetrics: list(resourceMetrics) });
