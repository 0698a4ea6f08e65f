/** Any trace request, for properties: usual and unusual keys, values, ids and shapes. */
import fc from "fast-check";
import type { WantedKey } from "../src/index.ts";

/** The keys that spans have by name, which are no templates and no events. */
export function exactNames(wanted: readonly WantedKey[]): string[] {
  const exact = wanted.filter(({ template, event, derived }) => !template && !event && !derived);
  return exact.map(({ name }) => name);
}

const keyOf = (exact: readonly string[]) =>
  fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...exact) },
    {
      weight: 3,
      arbitrary: fc
        .string({ unit: "grapheme", minLength: 1, maxLength: 12 })
        .map((s) => `ml.feature.${s}`),
    },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        "ml.feature.",
        "ml.f",
        "ml",
        "",
        "ml.feature_x",
        "ml.stage2",
        "retrieval.documents.0.document.score",
        "retrieval.documents.12.document.score",
        "retrieval.documents.0.document.content",
        "retrieval.documents..document.score",
      ),
    },
    { weight: 2, arbitrary: fc.string({ maxLength: 40 }) },
  );
const scalar = fc.oneof(
  fc.record({
    stringValue: fc.oneof(
      fc.string({ maxLength: 20 }),
      fc.string({ minLength: 120, maxLength: 300 }),
    ),
  }),
  fc.record({ boolValue: fc.boolean() }),
  fc.record({
    intValue: fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n).map((n) => ({
      low: Number(n & 0xffffffffn) | 0,
      high: Number((n >> 32n) & 0xffffffffn) | 0,
      unsigned: false,
    })),
  }),
  fc.record({ intValue: fc.integer({ min: 0, max: 40_000 }) }),
  fc.record({ doubleValue: fc.double({ noNaN: true }) }),
  fc.record({ bytesValue: fc.uint8Array({ maxLength: 12 }) }),
  fc.constant({}),
);
const anyValue = fc.oneof(
  { weight: 4, arbitrary: scalar },
  {
    weight: 1,
    arbitrary: fc.record({ arrayValue: fc.record({ values: fc.array(scalar, { maxLength: 5 }) }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      arrayValue: fc.record({
        values: fc.array(fc.record({ arrayValue: fc.record({ values: fc.array(scalar) }) }), {
          maxLength: 3,
        }),
      }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kvlistValue: fc.record({ values: fc.array(fc.record({ key: fc.string(), value: scalar })) }),
    }),
  },
);
const attributesOf = (exact: readonly string[]) =>
  fc.array(fc.record({ key: keyOf(exact), value: anyValue }), { maxLength: 8 });
const id = (length: number) =>
  fc.oneof(
    { weight: 9, arbitrary: fc.uint8Array({ minLength: length, maxLength: length }) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: length + 2 }) },
  );
const time = fc
  .tuple(fc.nat(2 ** 31 - 1), fc.nat(2 ** 31 - 1))
  .map(([low, high]) => ({ low, high, unsigned: true }));
const eventName = fc.oneof(
  fc.string(),
  fc.constantFrom("gen_ai.evaluation.result", "ai.stream.firstChunk", "First Token Stream Event"),
);
type Attributes = ReturnType<typeof attributesOf>;
const spanOf = (attributes: Attributes) =>
  fc.record(
    {
      traceId: id(16),
      spanId: id(8),
      parentSpanId: id(8),
      traceState: fc.string(),
      name: fc.oneof(fc.string(), fc.string({ minLength: 128, maxLength: 200 })),
      kind: fc.integer({ min: 0, max: 5 }),
      startTimeUnixNano: time,
      endTimeUnixNano: time,
      attributes,
      droppedAttributesCount: fc.nat(300),
      events: fc.array(fc.record({ timeUnixNano: time, name: eventName, attributes }), {
        maxLength: 2,
      }),
      links: fc.array(fc.record({ traceId: id(16), spanId: id(8), attributes }), { maxLength: 2 }),
      status: fc.record(
        { code: fc.integer({ min: 0, max: 2 }), message: fc.string() },
        { requiredKeys: [] },
      ),
      flags: fc.nat(),
    },
    { requiredKeys: ["traceId", "spanId"] },
  );
/** A request as the encoder takes it; `exact` are keys that should come often. */
export function arbitraryRequest(exact: readonly string[]) {
  const attributes = attributesOf(exact);
  const spans = fc.array(spanOf(attributes), { maxLength: 3 });
  const scope = fc.record({ name: fc.string(), version: fc.string(), attributes });
  const scopes = fc.record({ scope, spans }, { requiredKeys: ["spans"] });
  const scopeSpans = fc.array(scopes, { maxLength: 2 });
  const resourceSpans = fc.record(
    { resource: fc.record({ attributes }), scopeSpans, schemaUrl: fc.string() },
    { requiredKeys: ["scopeSpans"] },
  );
  return fc.record({ resourceSpans: fc.array(resourceSpans, { maxLength: 2 }) });
}
