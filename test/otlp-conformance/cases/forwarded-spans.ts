/**
 * What the endpoint hands on, for endpoints that forward: every span arrives once and means the
 * same, in whatever form it came.
 */
import { randomBytes } from "node:crypto";
import { gzipSync } from "node:zlib";
import type { Finding, SinkCase } from "../conformance-case.ts";
import { allOf, sinkCases } from "../conformance-case.ts";
import { frame } from "../grpc-endpoint.ts";
import { accepted, judgeCall } from "../grpc-expectations.ts";
import type { HttpAnswer, HttpEndpoint } from "../http-endpoint.ts";
import { JSON_TYPE, PROTOBUF } from "../http-endpoint.ts";
import { fullSuccess, judge } from "../http-expectations.ts";
import { bytesField, encodeBinary } from "../otlp/binary.ts";
import type { Message } from "../otlp/schema.ts";
import {
  attribute,
  sampleSpan,
  spanJson,
  traceRequest,
  tracesBody,
  tracesJson,
} from "../sample-requests.ts";
import type { SpanSink } from "../span-sink.ts";
import { spansOf } from "../span-sink.ts";
import { SPEC } from "../spec-links.ts";

const MANY = 1000;

/** The parts of a span, each with values that a careless copy would lose. */
const PARTS: readonly (readonly [id: string, title: string, span: () => Message])[] = [
  [
    "text",
    "attributes: text, empty and beyond ASCII",
    () => values(["", "täxt", "🌊\u0000\n"], "stringValue"),
  ],
  ["bool", "attributes: true and false", () => values([true, false], "boolValue")],
  [
    "int",
    "attributes: integers of 64 bits, to the last digit",
    () => values([0n, -1n, 9_007_199_254_740_993n, -(2n ** 63n), 2n ** 63n - 1n], "intValue"),
  ],
  [
    "double",
    "attributes: doubles, with NaN and the infinities",
    () => values([0, 5e-324, 1.1, Number.NaN, Number.NEGATIVE_INFINITY, Infinity], "doubleValue"),
  ],
  [
    "bytes",
    "attributes: bytes, none and all of them",
    () =>
      values(
        [Buffer.alloc(0), Buffer.from(Array.from({ length: 256 }, (_, i) => i))],
        "bytesValue",
      ),
  ],
  [
    "nested",
    "attributes: mixed arrays, nested lists of pairs, empty values",
    () => ({
      attributes: [
        attribute("array", {
          arrayValue: {
            values: [{ stringValue: "1" }, {}, { intValue: 2n }, { boolValue: false }],
          },
        }),
        attribute("pairs", {
          kvlistValue: {
            values: [attribute("inner", { kvlistValue: { values: [attribute("", {})] } })],
          },
        }),
        attribute("empty", {}),
        attribute("no values", { arrayValue: { values: [] } }),
      ],
    }),
  ],
  [
    "events",
    "events, in their order, with attributes and dropped counts",
    () => ({
      events: [event("second", 2n), event("first", 1n), event("", 0n)],
      droppedEventsCount: 4_294_967_295,
    }),
  ],
  [
    "links",
    "links, with trace state, flags, attributes and dropped counts",
    () => ({
      links: [
        {
          traceId: randomBytes(16),
          spanId: randomBytes(8),
          traceState: "vendor=1,other=2",
          attributes: [attribute("key", { stringValue: "value" })],
          droppedAttributesCount: 3,
          flags: 0x301,
        },
        { traceId: randomBytes(16), spanId: randomBytes(8) },
      ],
      droppedLinksCount: 7,
    }),
  ],
  [
    "context",
    "the parent, the trace state and all bits of the flags",
    () => ({
      parentSpanId: randomBytes(8),
      traceState: "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE",
      flags: 4_294_967_295,
    }),
  ],
  [
    "times",
    "times, to the nanosecond and up to 64 bits",
    () => ({
      startTimeUnixNano: 1_700_000_000_123_456_789n,
      endTimeUnixNano: 18_446_744_073_709_551_615n,
    }),
  ],
  [
    "status",
    "the status and its message, the kind, the count of dropped attributes",
    () => ({
      status: { code: 2, message: "no such model: ⚠" },
      kind: 5,
      droppedAttributesCount: 9,
    }),
  ],
];

function values(all: readonly unknown[], type: string): Message {
  return { attributes: all.map((value, index) => attribute(`key ${index}`, { [type]: value })) };
}

function event(name: string, timeUnixNano: bigint): Message {
  return {
    timeUnixNano,
    name,
    attributes: [attribute("exception.type", { stringValue: name })],
    droppedAttributesCount: 2,
  };
}

/** Envelopes around spans: where a span stands is part of what it says. */
function twoResources(traceId: Buffer): Message {
  const scoped = (name: string, schemaUrl: string) => ({
    scope: { name, version: "1", attributes: [attribute("a", { boolValue: true })] },
    spans: [sampleSpan({ traceId, name })],
    schemaUrl,
  });
  const resource = (name: string) => ({
    attributes: [attribute("service.name", { stringValue: name })],
    droppedAttributesCount: 1,
  });
  const schemaUrl = "https://opentelemetry.io/schemas/1.29.0";
  return {
    resourceSpans: [
      {
        resource: resource("one"),
        scopeSpans: [scoped("a", schemaUrl), scoped("b", "")],
        schemaUrl,
      },
      { resource: resource("two"), scopeSpans: [scoped("c", "")] },
    ],
  };
}

const partCases = sinkCases(
  ...PARTS.map(([id, title, part]) => ({
    id: `data-${id}`,
    level: "MUST" as const,
    spec: SPEC.traceSchema,
    title: `${title} arrive unchanged`,
    run: async (http: HttpEndpoint, sink: SpanSink) =>
      allOf(
        await passes(http, sink, traceRequest([sampleSpan(part())]), "protobuf"),
        await passes(http, sink, traceRequest([sampleSpan(part())]), "JSON"),
      ),
  })),
);

/** What arrives behind the endpoint. */
export const forwardedSpans: readonly SinkCase[] = [
  ...partCases,
  ...sinkCases(
    {
      id: "data-envelopes",
      level: "MUST",
      spec: SPEC.traceSchema,
      title: "spans keep their resource, scope and schema URLs",
      run: async (http, sink) => {
        const traceIds = [randomBytes(16), randomBytes(16)];
        const [first, second] = traceIds.map(twoResources) as [Message, Message];
        return allOf(
          await passes(http, sink, first, "protobuf"),
          await passes(http, sink, second, "JSON"),
        );
      },
    },
    {
      id: "data-many",
      level: "MUST",
      spec: SPEC.httpSuccess,
      title: `of ${MANY} acknowledged spans none is lost and none comes twice`,
      run: (http, sink) => {
        const traceId = randomBytes(16);
        const spans = Array.from({ length: MANY }, () => sampleSpan({ traceId }));
        return passes(http, sink, traceRequest(spans), "protobuf");
      },
    },
    {
      id: "data-gzip",
      level: "MUST",
      spec: SPEC.compression,
      title: "what came compressed arrives as it was",
      run: async (http, sink) => {
        const request = traceRequest();
        const headers = { "Content-Encoding": "gzip" };
        const answer = await http.post(gzipSync(tracesBody(request)), PROTOBUF, { headers });
        return arrives(sink, request, answer);
      },
    },
    {
      id: "grpc-data",
      level: "MUST",
      spec: SPEC.grpcSuccess,
      title: "what came over gRPC, plain and compressed, arrives as it was",
      run: async (_http, sink, grpc) => {
        if (grpc === undefined) {
          return { sent: "", received: "", faults: [], skipped: "it needs --grpc" };
        }
        const [plain, compressed] = [traceRequest(), traceRequest()];
        const headers = { "grpc-encoding": "gzip" };
        const pieces = [frame(gzipSync(tracesBody(compressed)), true)];
        return allOf(
          await follows(sink, plain, judgeCall(await grpc.export(tracesBody(plain)), accepted)),
          await follows(
            sink,
            compressed,
            judgeCall(await grpc.call({ pieces, headers }), accepted),
          ),
        );
      },
    },
    {
      id: "data-json-spellings",
      level: "MUST",
      spec: SPEC.json,
      title: "JSON's other spellings mean the same: ids in capitals, numbers for strings, null",
      run: async (http, sink) => {
        const span = sampleSpan({ attributes: [attribute("n", { intValue: 42n })] });
        const id = (name: string) => (span[name] as Buffer).toString("hex").toUpperCase();
        const body = spanJson({
          traceId: id("traceId"),
          spanId: id("spanId"),
          startTimeUnixNano: String(span["startTimeUnixNano"]),
          endTimeUnixNano: String(span["endTimeUnixNano"]),
          attributes: [{ key: "n", value: { intValue: 42 } }],
          traceState: null,
        });
        const request = { resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] };
        return arrives(sink, request, await http.post(body, JSON_TYPE));
      },
    },
    {
      id: "data-snake-case",
      level: "MUST",
      spec: SPEC.json,
      title: "what snake_case names say in JSON does not arrive",
      run: async (http, sink) => {
        const request = traceRequest();
        const body = tracesJson(request).replace('"traceId"', '"trace_state":"a=1","traceId"');
        const answer = await http.post(body, JSON_TYPE, { what: '"trace_state":"a=1"' });
        return arrives(sink, request, answer);
      },
    },
    {
      id: "data-last-wins",
      level: "MUST",
      spec: SPEC.protobuf,
      title: "of a scalar that comes twice in protobuf the last arrives",
      run: async (http, sink) => {
        const span = sampleSpan({ name: "last" });
        const fields = [
          encodeBinary("Span", { name: "first", kind: 1 }),
          encodeBinary("Span", span),
        ];
        const body = bytesField(1, bytesField(2, bytesField(2, ...fields)));
        const request = { resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] };
        return arrives(sink, request, await http.post(body, PROTOBUF, { what: "a name twice" }));
      },
    },
  ),
];

async function passes(
  http: HttpEndpoint,
  sink: SpanSink,
  request: Message,
  form: "protobuf" | "JSON",
): Promise<Finding> {
  const answer =
    form === "JSON"
      ? await http.post(tracesJson(request), JSON_TYPE)
      : await http.post(tracesBody(request), PROTOBUF);
  return arrives(sink, request, answer);
}

/** The request was acknowledged over HTTP, and its spans are what arrives. */
function arrives(sink: SpanSink, request: Message, answer: HttpAnswer): Promise<Finding> {
  return follows(sink, request, judge(answer, fullSuccess));
}

/** What was acknowledged arrives; the spans of the request are of one trace. */
async function follows(sink: SpanSink, request: Message, finding: Finding): Promise<Finding> {
  if (finding.faults.length > 0) return finding;
  const sent = spansOf(request);
  const wanted = sent.map(({ text }) => text);
  const arrived = await sink.arrived(sent[0]?.traceId ?? "", wanted.length);
  const missing = wanted.filter((text) => !arrived.includes(text));
  const strange = arrived.filter((text) => !wanted.includes(text));
  const received = `${finding.received}; ${arrived.length} of ${wanted.length} spans arrived`;
  if (missing.length === 0 && arrived.length === wanted.length) return { ...finding, received };
  const [lost] = missing;
  const [instead] = strange;
  const comparison =
    lost === undefined || instead === undefined
      ? ""
      : `: ${around(lost, instead)} became ${around(instead, lost)}`;
  const counts = `${missing.length} did not arrive as sent, ${strange.length} otherwise`;
  return { ...finding, received, faults: [`${counts}${comparison}`] };
}

/** The place where a text begins to differ from another. */
function around(text: string, other: string): string {
  let at = 0;
  while (at < text.length && text[at] === other[at]) at++;
  return text.slice(Math.max(0, at - 30), at + 50);
}
