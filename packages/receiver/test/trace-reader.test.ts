import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ExportTraceServiceRequest, seeded, traceBody } from "../bench/trace-bodies.ts";
import * as decoders from "../src/index.ts";
import { TraceRequest } from "../src/otlp/schema.ts";
import { TYPE_BITS } from "../src/otlp/span-rows.ts";
import { arbitraryRequest, exactNames } from "./arbitrary-request.ts";
import { BodyMutator } from "./fuzz/body-mutator.ts";
import { Differential, STRICTER } from "./fuzz/differential.ts";
import { fuzzBodies } from "./fuzz/fuzz-bodies.ts";
import { lenientSchema } from "./fuzz/lenient-schema.ts";

const { KeyTable, SpanRows, TraceReader, unwantedKeys, wantedKeys } = decoders;
const exact = exactNames(wantedKeys());
const differential = () =>
  new Differential({ ...decoders, TraceRequest: lenientSchema(TraceRequest) });

function read(bytes: Uint8Array) {
  const keys = new KeyTable(wantedKeys(), unwantedKeys());
  const rows = new SpanRows();
  const error = new TraceReader(keys).read(bytes, rows);
  return { error, rows, keys };
}

describe("TraceReader", () => {
  it("reads what protobufjs reads, from any request", () => {
    const both = differential();
    fc.assert(
      fc.property(arbitraryRequest(exact), (message) => {
        const bytes = ExportTraceServiceRequest.encode(message).finish();
        expect(both.run(Buffer.from(bytes))).toBe("same values");
      }),
      { numRuns: 2000, seed: 7 },
    );
  });

  it("takes no attribute of the convention for a feature that is called like it", () => {
    const feature = (key: string) => ({ key, value: { doubleValue: 1 } });
    const attributes = ["wind", "source", "missing", "sources"].map((name) =>
      feature(`ml.feature.${name}`),
    );
    const ids = { traceId: Buffer.alloc(16, 1), spanId: Buffer.alloc(8, 1) };
    const scopeSpans = [{ spans: [{ ...ids, attributes }] }];
    const message = { resourceSpans: [{ scopeSpans }] };
    const { rows, keys } = read(ExportTraceServiceRequest.encode(message).finish());
    const tags = rows.valueTag.subarray(0, rows.valueCount);
    const taken = Array.from(tags, (tag) => keys.known(tag >> TYPE_BITS).name);
    expect(taken).toEqual(["ml.feature.wind", "ml.feature.missing", "ml.feature.sources"]);
  });

  it("reads the benchmark's bodies like the oracle", () => {
    for (const kind of ["inference", "mixed"] as const) {
      expect(differential().run(Buffer.from(traceBody(kind, 64, 3)))).toBe("same values");
    }
  });

  it("agrees with protobufjs on reshaped and on broken bodies, but where it is stricter", () => {
    const random = seeded(11);
    const mutator = new BodyMutator(random);
    const both = differential();
    const outcomes = new Map<string, number>();
    for (let batch = 0; batch < 3; batch++) {
      const bodies = fuzzBodies(exact, batch, random);
      for (let round = 0; round < 10_000; round++) {
        const outcome = both.run(mutator.next(bodies));
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      }
    }
    expect(outcomes.get("same values")).toBeGreaterThan(10_000);
    for (const strictness of Object.keys(STRICTER)) {
      expect(outcomes.get(`refused: ${strictness}`)).toBeGreaterThan(0);
    }
  });

  it("rejects every truncation that cuts a field", () => {
    const bytes = traceBody("inference", 2, 1);
    for (let length = 1; length < bytes.length; length++) {
      const { error } = read(bytes.subarray(0, length));
      expect(error, `${length} bytes`).toBeDefined();
    }
  });

  it("leaves out spans without usable ids, and says why", () => {
    const make = (traceId: Uint8Array, spanId: Uint8Array) => ({ traceId, spanId, name: "s" });
    const good = make(new Uint8Array(16).fill(1), new Uint8Array(8).fill(2));
    const spans = [
      good,
      make(new Uint8Array(16), good.spanId),
      make(good.traceId, new Uint8Array(7)),
    ];
    const bytes = ExportTraceServiceRequest.encode({
      resourceSpans: [{ scopeSpans: [{ spans }] }],
    });
    const { rows } = read(bytes.finish());
    expect([rows.spanCount, rows.rejectedSpans]).toEqual([1, 2]);
    expect(rows.rejectedReason).toBe("trace_id must not be zero");
  });

  it("does not take logs for traces", () => {
    // ResourceLogs > ScopeLogs > LogRecord { time_unix_nano = 1 as fixed64 }
    const record = Uint8Array.of(0x09, 1, 2, 3, 4, 5, 6, 7, 8);
    const nest = (tag: number, inner: Uint8Array) => Uint8Array.of(tag, inner.length, ...inner);
    const { error } = read(nest(0x0a, nest(0x12, nest(0x12, record))));
    expect(error?.message).toBe("Span's field 1 has the wire type 1");
  });

  it("takes all attributes of a resource that is given in parts, as protobuf merges them", () => {
    const part = (key: string) =>
      ExportTraceServiceRequest.encode({
        resourceSpans: [{ resource: { attributes: [{ key, value: { stringValue: "x" } }] } }],
      })
        .finish()
        .subarray(2);
    const parts = Buffer.concat([part("ml.model.name"), part("ml.model.version")]);
    const { rows } = read(Buffer.concat([Uint8Array.of(0x0a, parts.length), parts]));
    expect([rows.resourceFirst[0], rows.resourceEnd[0]]).toEqual([0, 2]);
  });

  it.each([
    ["a group that ends with another number", [0x0a, 4, 0x23, 0x08, 1, 0x2c]],
    ["a length of six bytes", [0x0a, 0x80, 0x80, 0x80, 0x80, 0x80, 0]],
    ["a tag of six bytes", [0x8a, 0x80, 0x80, 0x80, 0x80, 0, 0]],
    ["a number of 65 bits", [0x10, ...Array<number>(9).fill(0xff), 2]],
    ["a value that is broken, before one that is not", wrapValues([0x0a, 5], [])],
  ])("refuses %s, as other decoders do", (_, bytes) => {
    expect(read(Uint8Array.from(bytes)).error).toBeDefined();
  });

  it("bounds the nesting of values", () => {
    let value: object = { stringValue: "deep" };
    for (let depth = 0; depth < 40; depth++) value = { arrayValue: { values: [value] } };
    const attribute = { key: "ml.feature.x", value };
    const spans = [
      {
        traceId: new Uint8Array(16).fill(1),
        spanId: new Uint8Array(8).fill(1),
        attributes: [attribute],
      },
    ];
    const bytes = ExportTraceServiceRequest.encode({
      resourceSpans: [{ scopeSpans: [{ spans }] }],
    });
    expect(read(bytes.finish()).error?.message).toBe("attribute values are nested too deeply");
  });
});

/** A request with a resource of one attribute that has all of these values. */
function wrapValues(...values: number[][]): number[] {
  const field = (tag: number, content: number[]) => [tag, content.length, ...content];
  const attribute = values.flatMap((value) => field(0x12, value));
  return field(0x0a, field(0x0a, field(0x0a, attribute)));
}
