import type { Attributes } from "@opentelemetry/api";
import { ProtobufTraceSerializer } from "@opentelemetry/otlp-transformer";
import { resourceFromAttributes } from "@opentelemetry/resources";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { requestHead, SpanBatch } from "../src/otlp/span-batch.js";
import { decodeTraceRequest } from "./trace-request.js";

const text = fc.oneof(fc.string({ maxLength: 300 }), fc.string({ unit: "binary" }));
const number = fc.oneof(
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double(),
  fc.constantFrom(0, -0, 2 ** 32, -1, 2 ** 62, -(2 ** 63), 1e300),
);
const scalar = fc.oneof(text, number, fc.boolean());
const value = fc.oneof(
  scalar,
  fc.array(text),
  fc.array(number, { maxLength: 300 }),
  fc.array(fc.boolean()),
  fc.uint8Array({ maxLength: 300 }),
  fc.dictionary(fc.string(), scalar),
);
const attributes = fc.dictionary(
  text.filter((key) => key !== "" && key !== "__proto__"),
  value,
  { maxKeys: 30 },
) as fc.Arbitrary<Attributes>;
const hex = (length: number) =>
  fc
    .uint8Array({ minLength: length, maxLength: length })
    .map((id) => Buffer.from(id).toString("hex"));
const spanContext = fc.record({
  traceId: hex(16),
  spanId: hex(8),
  traceFlags: fc.constant(1),
  isRemote: fc.option(fc.boolean(), { nil: undefined }),
  traceState: fc.option(
    text.map((state) => ({ serialize: () => state })),
    { nil: undefined },
  ),
});
const time = fc.tuple(fc.nat(4_000_000_000), fc.nat(999_999_999));
const count = fc.nat(1000);
const span = fc
  .record({
    own: spanContext,
    parentSpanContext: fc.option(spanContext, { nil: undefined }),
    name: text,
    kind: fc.nat(4),
    startTime: time,
    endTime: time,
    status: fc.record({ code: fc.nat(2), message: fc.option(text, { nil: undefined }) }),
    attributes,
    events: fc.array(fc.record({ name: text, time, attributes, droppedAttributesCount: count }), {
      maxLength: 3,
    }),
    links: fc.array(
      fc.record({ context: spanContext, attributes, droppedAttributesCount: count }),
      { maxLength: 3 },
    ),
    droppedAttributesCount: count,
    droppedEventsCount: count,
    droppedLinksCount: count,
  })
  .map(({ own, ...rest }) => ({ ...rest, spanContext: () => own }));

const scopes = [
  { name: "a" },
  { name: "b", version: "1", schemaUrl: "https://example.org/1" },
  { name: "ß".repeat(100), attributes: { x: [1, 2.5] }, droppedAttributesCount: 3 },
];

/** Absent and empty are the same on the wire; the stock serializer writes an empty status. */
function normal(request: Record<string, unknown>): unknown {
  return JSON.parse(
    JSON.stringify(request, (key, member: unknown) => {
      if (key === "status") return { message: "", code: 0, ...(member as object | null) };
      return member;
    }),
  );
}

function bothWays(spans: ReadableSpan[], resource: ReadableSpan["resource"]) {
  const batch = new SpanBatch();
  for (const each of spans) batch.add(each, each.instrumentationScope);
  const taken = batch.take();
  const ours = Buffer.concat([requestHead(resource, taken), taken]);
  const theirs = ProtobufTraceSerializer.serializeRequest(spans);
  return [ours, theirs].map((body) => normal(decodeTraceRequest(body as Uint8Array)));
}

describe("a span written as it ends", () => {
  const resource = resourceFromAttributes({ "service.name": "ü", n: 1 });

  test("says what OpenTelemetry's own serializer says of it, whatever it holds", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(span, fc.nat(2)), { minLength: 1, maxLength: 8 }), (made) => {
        const spans = made.map(
          ([each, scope]) =>
            ({ ...each, instrumentationScope: scopes[scope], resource }) as unknown as ReadableSpan,
        );
        const [ours, theirs] = bothWays(spans, resource);
        expect(ours).toEqual(theirs);
      }),
      { numRuns: 300, seed: 7 },
    );
  });

  test("leaves nothing of itself when it cannot be written", () => {
    const batch = new SpanBatch();
    const [sample] = fc.sample(span, { numRuns: 1, seed: 1 });
    const good = {
      ...sample,
      instrumentationScope: scopes[0],
      resource,
    } as unknown as ReadableSpan;
    const bad = {
      ...good,
      attributes: {
        get x(): string {
          throw new Error("no");
        },
      },
    };
    batch.add(good, good.instrumentationScope);
    const { bytes } = batch;
    expect(() => batch.add(bad, good.instrumentationScope)).toThrow("no");
    expect([batch.bytes, batch.spans]).toEqual([bytes, 1]);
    const taken = batch.take();
    const request = decodeTraceRequest(Buffer.concat([requestHead(resource, taken), taken]));
    expect(JSON.stringify(request).match(/"spanId"/g)?.length).toBe(1 + good.links.length);
  });
});
