/** Protobuf that is unusual and valid: every decoder must take it. */
import { httpCases } from "../conformance-case.ts";
import type { HttpEndpoint } from "../http-endpoint.ts";
import { PROTOBUF } from "../http-endpoint.ts";
import { fullSuccess, judge } from "../http-expectations.ts";
import { bytesField, encodeBinary, fieldsOf, tag, varint, WIRE } from "../otlp/binary.ts";
import type { Message } from "../otlp/schema.ts";
import { sampleSpan, traceRequest, tracesBody } from "../sample-requests.ts";
import { SPEC } from "../spec-links.ts";

/** Unknown fields of every wire type that is still in use, with the largest number, too. */
const UNKNOWN_FIELDS = Buffer.concat([
  tag(900, WIRE.varint),
  varint(-1),
  tag(901, WIRE.fixed64),
  Buffer.alloc(8, 1),
  bytesField(902, Buffer.from("unknown")),
  tag(903, WIRE.fixed32),
  Buffer.alloc(4, 1),
  bytesField(536_870_911, Buffer.alloc(3, 0xff)),
]);

/** Accepts a body that is given as the fields of a span. */
async function takesSpan(http: HttpEndpoint, what: string, span: Uint8Array) {
  return judge(await http.post(aroundSpan(span), PROTOBUF, { what }), fullSuccess);
}

async function takes(http: HttpEndpoint, what: string, body: Uint8Array) {
  return judge(await http.post(body, PROTOBUF, { what }), fullSuccess);
}

/** A request around a span's bytes. */
function aroundSpan(span: Uint8Array): Buffer {
  return bytesField(1, bytesField(2, bytesField(2, span)));
}

function spanBytes(more: Message = {}): Buffer {
  return encodeBinary("Span", sampleSpan(more));
}

/** Freedoms of the binary encoding. */
export const protobufValid = httpCases(
  {
    id: "protobuf-unknown-fields",
    level: "MUST",
    spec: SPEC.protobuf,
    title: "unknown fields of every wire type are skipped, in the request and in a span",
    run: (http) => {
      const body = Buffer.concat([aroundSpan(Buffer.concat([spanBytes(), UNKNOWN_FIELDS]))]);
      return takes(http, "unknown fields", Buffer.concat([UNKNOWN_FIELDS, body, UNKNOWN_FIELDS]));
    },
  },
  {
    id: "protobuf-unknown-group",
    level: "EXPECTED",
    spec: SPEC.protobuf,
    title: "an unknown group, the deprecated kind of field, is skipped",
    run: (http) => {
      const group = [tag(904, WIRE.groupStart), tag(1, WIRE.varint), varint(7)];
      const end = tag(904, WIRE.groupEnd);
      return takesSpan(http, "a group", Buffer.concat([spanBytes(), ...group, end]));
    },
  },
  {
    id: "protobuf-any-order",
    level: "MUST",
    spec: SPEC.protobuf,
    title: "fields may come in any order",
    run: (http) => {
      const reversed = Object.fromEntries(Object.entries(sampleSpan()).toReversed());
      const scope = bytesField(1, encodeBinary("Scope", { name: "last" }));
      const scopeSpans = [bytesField(2, encodeBinary("Span", reversed)), scope];
      const resource = bytesField(1, encodeBinary("Resource", { droppedAttributesCount: 1 }));
      const body = bytesField(1, bytesField(2, ...scopeSpans), resource);
      return takes(http, "fields in reverse order", body);
    },
  },
  {
    id: "protobuf-last-wins",
    level: "MUST",
    spec: SPEC.protobuf,
    title: "a field that comes twice is valid: the last scalar wins, messages are merged",
    run: (http) => {
      const twice = Buffer.concat([
        encodeBinary("Span", { name: "first", status: { message: "first" } }),
        spanBytes({ status: { code: 2 } }),
      ]);
      return takesSpan(http, "name and status twice", twice);
    },
  },
  {
    id: "protobuf-long-varint",
    level: "EXPECTED",
    spec: SPEC.protobuf,
    title: "a varint with needless bytes, as some encoders write lengths, is read",
    run: (http) => {
      const content = bytesField(2, bytesField(2, spanBytes()));
      const length = varint(content.length);
      length[length.length - 1] = (length.at(-1) ?? 0) | 0x80;
      const padded = Buffer.concat([tag(1, WIRE.bytes), length, Buffer.from([0x80, 0]), content]);
      return takes(http, "a length with needless bytes", padded);
    },
  },
  {
    id: "protobuf-explicit-defaults",
    level: "MUST",
    spec: SPEC.protobuf,
    title: "fields that hold their default, written out, are valid",
    run: (http) => {
      const defaults = {
        traceState: "",
        parentSpanId: Buffer.alloc(0),
        droppedAttributesCount: 0,
        droppedEventsCount: 0,
        droppedLinksCount: 0,
        status: {},
        flags: 0,
      };
      return takesSpan(http, "explicit defaults", spanBytes(defaults));
    },
  },
  {
    id: "protobuf-attribute-types",
    level: "MUST",
    spec: SPEC.commonSchema,
    title: "attribute values of every type are accepted: empty, bytes, mixed arrays, nested lists",
    run: (http) => {
      const request = traceRequest([sampleSpan({ attributes: EVERY_VALUE })]);
      return takes(http, "every type of value", tracesBody(request));
    },
  },
  {
    id: "protobuf-unknown-enum",
    level: "MUST",
    spec: SPEC.protobuf,
    title: "an enum's number that this version does not know is accepted, as enums are open",
    run: (http) =>
      takesSpan(http, "kind 77, status code 78", spanBytes({ kind: 77, status: { code: 78 } })),
  },
  {
    id: "protobuf-nested-values",
    level: "EXPECTED",
    spec: SPEC.commonSchema,
    title: "attribute values nested ten deep are accepted",
    run: (http) => {
      let value: Message = { stringValue: "deep" };
      for (let depth = 0; depth < 10; depth++) value = { arrayValue: { values: [value] } };
      return takesSpan(
        http,
        "10 arrays in each other",
        spanBytes({ attributes: [{ key: "deep", value }] }),
      );
    },
  },
  {
    id: "protobuf-split-messages",
    level: "MUST",
    spec: SPEC.protobuf,
    title: "two requests written one after the other are one request, as protobuf merges them",
    run: async (http) => {
      const body = Buffer.concat([tracesBody(), tracesBody()]);
      if (fieldsOf(body).length !== 2) throw new Error("the body must have two resources");
      return takes(http, "two requests in one body", body);
    },
  },
);

const EVERY_VALUE = [
  { key: "string", value: { stringValue: "täxt 🌊" } },
  { key: "bool", value: { boolValue: false } },
  { key: "int", value: { intValue: -(2n ** 63n) } },
  { key: "double", value: { doubleValue: Number.NaN } },
  { key: "bytes", value: { bytesValue: Buffer.from([0, 255, 128]) } },
  { key: "empty", value: {} },
  { key: "missing" },
  {
    key: "array",
    value: {
      arrayValue: { values: [{ intValue: 1n }, { stringValue: "2" }, {}, { boolValue: true }] },
    },
  },
  {
    key: "kvlist",
    value: { kvlistValue: { values: [{ key: "a", value: { arrayValue: { values: [] } } }] } },
  },
];
