/** Bytes that are no protobuf, or no trace request: permanent faults of the client, so 400. */
import type { Finding } from "../conformance-case.ts";
import { allOf, httpCases } from "../conformance-case.ts";
import type { HttpEndpoint } from "../http-endpoint.ts";
import { PROTOBUF } from "../http-endpoint.ts";
import type { AnyHttpAnswer } from "../http-expectations.ts";
import {
  acceptedOrBadData,
  andAlive,
  hasDetail,
  judge,
  notSwallowed,
  status,
  statusIn,
} from "../http-expectations.ts";
import { bytesField, encodeBinary, tag, varint, WIRE } from "../otlp/binary.ts";
import { sampleSpan, tracesBody } from "../sample-requests.ts";
import { SPEC } from "../spec-links.ts";

const NOT_UTF_8 = Buffer.from([0x66, 0xff, 0xc3, 0x28]);
const DEPTH = 20_000;

/** Bodies that cannot be decoded, by what is wrong with them. */
const BROKEN: readonly (readonly [id: string, what: string, body: () => Buffer])[] = [
  ["text", "text instead of protobuf", () => Buffer.from("hello, world")],
  ["truncated", "a request that ends early", () => tracesBody().subarray(0, -7)],
  [
    "length",
    "a length beyond the end",
    () => Buffer.concat([tag(1, WIRE.bytes), varint(1000), Buffer.alloc(10)]),
  ],
  [
    "length-huge",
    "a length of 2^63 bytes",
    () => Buffer.concat([tag(1, WIRE.bytes), varint(2n ** 63n), Buffer.alloc(10)]),
  ],
  [
    "length-inner",
    "a span longer than the scope around it",
    () => bytesField(1, bytesField(2, Buffer.concat([tag(2, WIRE.bytes), varint(99)]))),
  ],
  ["varint", "a varint of eleven bytes", () => inSpan(tag(6, WIRE.varint), Buffer.alloc(11, 0xff))],
  ["varint-cut", "a varint that never ends", () => Buffer.from([0x80, 0x80])],
  ["wire-type", "wire type 7", () => inSpan(Buffer.from([(1 << 3) | 7]), Buffer.alloc(20))],
  ["field-zero", "field number 0", () => inSpan(tag(0, WIRE.varint), varint(1))],
  ["group-open", "a group that never ends", () => inSpan(tag(904, WIRE.groupStart), varint(8))],
  ["group-end", "the end of a group that never began", () => inSpan(tag(904, WIRE.groupEnd))],
  [
    "fixed-cut",
    "a 64-bit number of three bytes",
    () => inSpan(tag(7, WIRE.fixed64), Buffer.alloc(3)),
  ],
];

/** A request whose one span is ordinary but for what follows its fields. */
function inSpan(...after: readonly Uint8Array[]): Buffer {
  const span = encodeBinary("Span", sampleSpan());
  return bytesField(1, bytesField(2, bytesField(2, span, ...after)));
}

async function sends(
  http: HttpEndpoint,
  what: string,
  body: Uint8Array,
  ...expectations: readonly ((answer: AnyHttpAnswer) => string | undefined)[]
) {
  return andAlive(http, judge(await http.post(body, PROTOBUF, { what }), ...expectations));
}

/** A value nested so deep that a decoder without a bound runs out of stack. */
function nested(): Buffer {
  // Lengths are written from the inside out, so the pieces are collected in that order.
  const pieces: Buffer[] = [];
  let length = 0;
  for (let depth = 0; depth < DEPTH; depth++) {
    for (const number of [1, 5]) {
      const head = Buffer.concat([tag(number, WIRE.bytes), varint(length)]);
      pieces.push(head);
      length += head.length;
    }
  }
  return Buffer.concat(pieces.toReversed());
}

/** What a decoder must refuse, and what it must at least survive. */
export const protobufMalformed = [
  ...httpCases(
    ...BROKEN.map(([id, what, body]) => ({
      id: `protobuf-bad-${id}`,
      level: "MUST" as const,
      spec: SPEC.httpBadData,
      title: `${what} is answered 400, with a Status in protobuf`,
      run: (http: HttpEndpoint) => sends(http, what, body(), status(400), statusIn(PROTOBUF)),
    })),
  ),
  ...httpCases(
    {
      id: "protobuf-other-wire-type",
      level: "MUST",
      spec: SPEC.httpBadData,
      title: "a known field with another wire type is bad data or an unknown field, no failure",
      run: (http) => {
        const body = inSpan(tag(5, WIRE.varint), varint(5));
        return sends(http, "a name that is a varint", body, acceptedOrBadData);
      },
    },
    {
      id: "protobuf-utf8",
      level: "MUST",
      spec: SPEC.httpBadData,
      title: "text that is not UTF-8 is no failure of the server",
      run: async (http) =>
        allOf(
          await sends(
            http,
            "a name in no UTF-8",
            inSpan(bytesField(5, NOT_UTF_8)),
            acceptedOrBadData,
          ),
          await sends(http, "a value in no UTF-8", badAttribute(), acceptedOrBadData),
        ),
    },
    {
      // proto3's text is UTF-8, but neither it nor OTLP says what a receiver does about other text.
      id: "protobuf-utf8-elsewhere",
      level: "MUST",
      spec: SPEC.httpBadData,
      title: "nor is it in a key, an event, a link, a status, a scope, a resource or a schema URL",
      run: async (http) => {
        const places = Object.entries(notUtf8Elsewhere());
        const findings: Finding[] = [];
        for (const [place, body] of places) {
          findings.push(await sends(http, `${place} in no UTF-8`, body, acceptedOrBadData));
        }
        return allOf(...findings);
      },
    },
    {
      id: "protobuf-depth",
      level: "MUST",
      spec: SPEC.httpBadData,
      title: `a value nested ${DEPTH.toLocaleString("en")} deep is no failure of the server`,
      run: (http) => {
        const value = bytesField(2, nested());
        const keyValue = bytesField(9, bytesField(1, Buffer.from("deep")), value);
        return sends(http, "nested arrays", inSpan(keyValue), acceptedOrBadData);
      },
    },
    {
      id: "protobuf-id-length",
      level: "MUST",
      spec: SPEC.traceSchema,
      title: "ids of a wrong length or of zeros are no failure of the server",
      run: async (http) =>
        allOf(
          await sends(
            http,
            "a trace_id of 3 bytes",
            withTraceId(Buffer.alloc(3, 1)),
            acceptedOrBadData,
          ),
          await sends(
            http,
            "a trace_id of zeros",
            withTraceId(Buffer.alloc(16)),
            acceptedOrBadData,
          ),
        ),
    },
    {
      id: "protobuf-id-length-told",
      level: "EXPECTED",
      spec: SPEC.traceSchema,
      title: "a span whose id has a wrong length, which makes it invalid, is not reported as kept",
      run: (http) =>
        sends(http, "a trace_id of 3 bytes", withTraceId(Buffer.alloc(3, 1)), notSwallowed),
    },
    {
      id: "protobuf-bad-details",
      level: "SHOULD",
      spec: SPEC.httpBadData,
      title: "the Status of bad data has a google.rpc.BadRequest in its details",
      run: (http) =>
        sends(http, "text instead of protobuf", Buffer.from("hello"), hasDetail("BadRequest")),
    },
  ),
];

/** Requests whose one text in no UTF-8 stands in different places. */
function notUtf8Elsewhere(): Readonly<Record<string, Buffer>> {
  const attributeKey = bytesField(1, NOT_UTF_8);
  const span = bytesField(2, encodeBinary("Span", sampleSpan()));
  return {
    "an attribute's key": inSpan(bytesField(9, attributeKey)),
    "an event's name": inSpan(bytesField(11, bytesField(2, NOT_UTF_8))),
    "a link's state": inSpan(bytesField(13, bytesField(3, NOT_UTF_8))),
    "a status' message": inSpan(bytesField(15, bytesField(2, NOT_UTF_8))),
    "a scope's name": bytesField(1, bytesField(2, bytesField(1, bytesField(1, NOT_UTF_8)), span)),
    "a resource's key": bytesField(
      1,
      bytesField(1, bytesField(1, attributeKey)),
      bytesField(2, span),
    ),
    "a schema URL": bytesField(1, bytesField(2, span), bytesField(3, NOT_UTF_8)),
  };
}

function badAttribute(): Buffer {
  const value = bytesField(2, bytesField(1, NOT_UTF_8));
  return inSpan(bytesField(9, bytesField(1, Buffer.from("key")), value));
}

function withTraceId(traceId: Buffer): Buffer {
  return bytesField(1, bytesField(2, bytesField(2, encodeBinary("Span", sampleSpan({ traceId })))));
}
