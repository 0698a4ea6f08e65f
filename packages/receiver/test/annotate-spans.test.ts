import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ExportTraceServiceRequest, traceBody } from "../bench/trace-bodies.ts";
import { KeyTable, SpanRows, TraceReader, unwantedKeys, wantedKeys } from "../src/index.ts";
import { annotateSpans } from "../src/otlp/annotate-spans.ts";
import { arbitraryRequest } from "./arbitrary-request.ts";

const KEY = "ml.drift.outlier";
const someKeys = wantedKeys().flatMap(({ name, template }) => (template ? [] : [name]));

interface PlainSpan {
  attributes?: { key: string; value: object }[];
}

interface PlainRequest {
  resourceSpans?: { scopeSpans?: { spans?: PlainSpan[] }[] }[];
}

/** Everything that the generated decoder sees, as plain data; it leaves out empty lists. */
function decoded(bytes: Uint8Array) {
  return JSON.parse(JSON.stringify(ExportTraceServiceRequest.decode(bytes))) as PlainRequest;
}

function spansOf({ resourceSpans = [] }: PlainRequest): PlainSpan[] {
  return resourceSpans.flatMap(({ scopeSpans = [] }) =>
    scopeSpans.flatMap(({ spans = [] }) => spans),
  );
}

/** Takes the last attribute off a span if it is the one that was added. */
function takeAdded(span: PlainSpan): object[] {
  if (span.attributes?.at(-1)?.key !== KEY) return [];
  const added = span.attributes.pop() as object;
  if (span.attributes.length === 0) delete span.attributes;
  return [added];
}

/** Where the spans that the reader accepts have their ids. */
function spanIdOffsets(bytes: Uint8Array): number[] {
  const rows = new SpanRows();
  expect(
    new TraceReader(new KeyTable(wantedKeys(), unwantedKeys())).read(bytes, rows),
  ).toBeUndefined();
  return [...rows.spanId.subarray(0, rows.spanCount)];
}

function attribute(values: readonly string[]) {
  const list = values.map((stringValue) => ({ stringValue }));
  const arrayValue = list.length > 0 ? { values: list } : {};
  return { key: KEY, value: { arrayValue } };
}

describe("annotateSpans", () => {
  it("adds the attribute to the flagged spans and changes nothing else, in any request", () => {
    const choices = fc.array(fc.tuple(fc.boolean(), fc.array(fc.string(), { maxLength: 3 })), {
      minLength: 12,
      maxLength: 12,
    });
    fc.assert(
      fc.property(arbitraryRequest(someKeys), choices, (message, chosen) => {
        const bytes = ExportTraceServiceRequest.encode(message).finish();
        const flags = spanIdOffsets(bytes).flatMap((at, index) => {
          const [flagged, values] = chosen[index] as [boolean, string[]];
          return flagged ? [{ at, values }] : [];
        });
        const annotated = annotateSpans(bytes, KEY, flags);
        const after = decoded(annotated);
        expect(spansOf(after).flatMap(takeAdded)).toEqual(
          flags.map(({ values }) => attribute(values)),
        );
        expect(after).toEqual(decoded(bytes));
      }),
      { numRuns: 1500, seed: 3 },
    );
  });

  it("leaves every byte as it was where nothing is flagged", () => {
    const bytes = traceBody("mixed", 40, 9);
    expect(Buffer.from(annotateSpans(bytes, KEY, [])).equals(Buffer.from(bytes))).toBe(true);
  });

  it("keeps fields that it does not know, the order of fields, and lengths written at length", () => {
    const unknown = Uint8Array.of(0xfa, 0x07, 3, 1, 2, 3);
    const id = (length: number) => new Uint8Array(length).fill(7);
    const span = Buffer.concat([
      unknown,
      Uint8Array.of(0x12, 8),
      id(8),
      Uint8Array.of(10, 16),
      id(16),
    ]);
    // The span's length in three bytes where one would do, and a field behind the list.
    const scope = Buffer.concat([Uint8Array.of(0x12, 0x80 | span.length, 0x80, 0), span, unknown]);
    const resource = Buffer.concat([unknown, Uint8Array.of(0x12, scope.length), scope]);
    const body = Buffer.concat([Uint8Array.of(0x0a, resource.length), resource, unknown]);
    const annotated = Buffer.from(annotateSpans(body, KEY, [{ at: 12, values: ["feature.x"] }]));
    const [first] = spansOf(decoded(annotated));
    expect(first?.attributes).toEqual([attribute(["feature.x"])]);
    expect(annotated.indexOf(span)).toBeGreaterThan(0);
    expect(annotated.subarray(-6)).toEqual(Buffer.from(unknown));
    expect(
      annotated.toString("latin1").split(Buffer.from(unknown).toString("latin1")),
    ).toHaveLength(5);
  });

  it("refuses a flag that lies in no span", () => {
    const bytes = traceBody("mixed", 2, 1);
    expect(() => annotateSpans(bytes, KEY, [{ at: bytes.length + 1, values: [] }])).toThrow(
      "there is no span at byte",
    );
  });
});
