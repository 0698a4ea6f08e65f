/**
 * OTLP's JSON form of a trace request, turned into the binary form that everything else reads.
 * https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
 *
 * It is the protobuf JSON mapping with its own rules: ids are hex, enums are integers, 64-bit
 * integers are numbers or strings, names are lowerCamelCase only, unknown fields are ignored.
 */
import { TraceRequest } from "./schema.js";

/** Nesting of attribute values that is accepted; the binary reader has the same bound. */
const DEPTH_MAX = 32;
const HEX = /^(?:[0-9a-fA-F]{2})*$/;
const INTEGER = /^-?\d{1,20}$/;
const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/;

/** A JSON body that is no trace request; the message names the place in it. */
export class JsonRequestError extends Error {
  override readonly name = "JsonRequestError";
}

type Read = (value: unknown, path: string, depth: number) => unknown;
type Fields = Readonly<Record<string, Read>>;

/**
 * Encodes the JSON text of an ExportTraceServiceRequest as protobuf.
 * @throws JsonRequestError when the text is no JSON or does not have the request's shape.
 */
export function encodeJsonRequest(text: string): Uint8Array {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new JsonRequestError(`the body is no JSON: ${(error as Error).message}`);
  }
  refuseOtherSignals(json);
  return TraceRequest.encode(request(json, "", 0) as object).finish();
}

/** What a body is whose one list has this name, although unknown fields are to be ignored. */
const OTHER_BODIES: Readonly<Record<string, string>> = {
  resourceLogs: "logs; send them elsewhere",
  resource_logs: "logs; send them elsewhere",
  resourceMetrics: "metrics; send them elsewhere",
  resource_metrics: "metrics; send them elsewhere",
  resource_spans: "traces with names in snake_case; OTLP's JSON writes resourceSpans",
};

/** Such a body has no unknown field more: it is another request, and would be lost with a 200. */
function refuseOtherSignals(json: unknown): void {
  if (typeof json !== "object" || json === null || Object.hasOwn(json, "resourceSpans")) return;
  const other = Object.keys(OTHER_BODIES).find((name) => Object.hasOwn(json, name));
  if (other === undefined) return;
  throw new JsonRequestError(`no trace request: ${other} looks like ${OTHER_BODIES[other]}`);
}

function message(fields: Fields): Read {
  return (value, path, depth) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw new JsonRequestError(`${path || "the body"} must be an object`);
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
    if (!Array.isArray(value)) throw new JsonRequestError(`${path} must be an array`);
    return value.map((element, index) => read(element, `${path}[${index}]`, depth));
  };
}

const text: Read = (value, path) => {
  if (typeof value !== "string") throw new JsonRequestError(`${path} must be a string`);
  return value;
};

const flag: Read = (value, path) => {
  if (typeof value !== "boolean") throw new JsonRequestError(`${path} must be true or false`);
  return value;
};

const hex: Read = (value, path) => {
  if (typeof value !== "string" || !HEX.test(value)) {
    throw new JsonRequestError(`${path} must be a string of hexadecimal digit pairs`);
  }
  return Buffer.from(value, "hex");
};

const base64: Read = (value, path) => {
  if (typeof value !== "string" || !BASE64.test(value)) {
    throw new JsonRequestError(`${path} must be base64`);
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
    throw new JsonRequestError(`${path} must be an integer from 0 to 4294967295`);
  }
  return number;
};

const double: Read = (value, path) => {
  if (typeof value === "number") return value;
  if (value === "NaN" || value === "Infinity" || value === "-Infinity") return Number(value);
  if (typeof value === "string" && value.trim() !== "" && !Number.isNaN(Number(value))) {
    return Number(value);
  }
  throw new JsonRequestError(`${path} must be a number`);
};

function integer64(lowest: bigint, highest: bigint): Read {
  return (value, path) => {
    let number: bigint | undefined;
    if (typeof value === "number" && Number.isInteger(value)) number = BigInt(value);
    if (typeof value === "string" && INTEGER.test(value)) number = BigInt(value);
    if (number === undefined || number < lowest || number > highest) {
      throw new JsonRequestError(`${path} must be an integer from ${lowest} to ${highest}`);
    }
    const low = Number(number & 0xffffffffn) | 0;
    return { low, high: Number((number >> 32n) & 0xffffffffn) | 0, unsigned: lowest === 0n };
  };
}

const int64 = integer64(-(2n ** 63n), 2n ** 63n - 1n);
const uint64 = integer64(0n, 2n ** 64n - 1n);

const anyValue: Read = (value, path, depth) => {
  if (depth > DEPTH_MAX) throw new JsonRequestError(`${path} is nested too deeply`);
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
