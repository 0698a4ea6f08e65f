import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ExportTraceServiceRequest, seeded, traceBody } from "../bench/trace-bodies.ts";
import { KeyTable, SpanRows, TraceReader, unwantedKeys, wantedKeys } from "../src/index.ts";
import { arbitraryRequest } from "./arbitrary-request.ts";
import type { PlainSpan } from "./oracle.ts";
import { INVALID, oracleSpans, rowSpans } from "./oracle.ts";

const exact = new Set(wantedKeys().flatMap(({ name, template }) => (template ? [] : [name])));
const prefixes = wantedKeys().flatMap(({ name, template }) => (template ? [name] : []));
const wanted = (key: string) =>
  exact.has(key) ||
  (prefixes.some((prefix) => key.startsWith(prefix) && key !== prefix) &&
    !unwantedKeys().includes(key));

/**
 * Equal in all, but for a time that the oracle rounded into the neighbouring step, and for how it
 * repairs strings that are no UTF-8 (a key that is none counts under its template).
 */
function expectSame(spans: PlainSpan[], oracle: PlainSpan[]): void {
  for (const [index, expected] of oracle.entries()) {
    const found = spans[index];
    if (found === undefined) break;
    if (Math.abs(found.durationStep - expected.durationStep) <= 1) {
      found.durationStep = expected.durationStep;
    }
    for (const list of ["values", "resource"] as const) {
      for (const [at, value] of found[list].entries()) {
        const twin = expected[list][at];
        if (twin === undefined) break;
        if (value[2] === INVALID && twin[1] === "string") value[2] = twin[2];
        if (value[0]?.endsWith(".*") && twin[0]?.startsWith(value[0].slice(0, -1)))
          value[0] = twin[0];
      }
    }
  }
  expect(spans).toEqual(oracle);
}

function read(bytes: Uint8Array) {
  const keys = new KeyTable(wantedKeys(), unwantedKeys());
  const rows = new SpanRows();
  const error = new TraceReader(keys).read(bytes, rows);
  return { error, rows, spans: error ? [] : rowSpans(rows, keys) };
}

describe("TraceReader", () => {
  it("reads what the generated protobufjs decoder reads, from any request", () => {
    fc.assert(
      fc.property(arbitraryRequest, (message) => {
        const bytes = ExportTraceServiceRequest.encode(message).finish();
        const { error, spans } = read(bytes);
        expect(error).toBeUndefined();
        expectSame(spans, oracleSpans(bytes, wanted));
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
    const { spans } = read(ExportTraceServiceRequest.encode(message).finish());
    const taken = spans.flatMap(({ values }) => values.map(([key]) => key));
    expect(taken).toEqual(["ml.feature.wind", "ml.feature.missing", "ml.feature.sources"]);
  });

  it("reads the benchmark's bodies like the oracle", () => {
    for (const kind of ["inference", "mixed"] as const) {
      const bytes = traceBody(kind, 64, 3);
      expectSame(read(bytes).spans, oracleSpans(bytes, wanted));
    }
  });

  it("survives mutated bodies, and where it accepts one, agrees with the oracle", () => {
    const random = seeded(11);
    const original = traceBody("mixed", 6, 5);
    let accepted = 0;
    for (let round = 0; round < 30_000; round++) {
      const bytes = mutate(original, random);
      const { error, spans } = read(bytes);
      if (error) {
        expect(error.message).not.toBe("");
        continue;
      }
      accepted++;
      expectSame(spans, oracleSpans(bytes, wanted));
    }
    expect(accepted).toBeGreaterThan(1000);
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

/** Flips, overwrites, drops or repeats a few bytes. */
function mutate(original: Uint8Array, random: () => number): Uint8Array {
  const bytes = Uint8Array.from(original);
  const edits = 1 + Math.floor(random() * 3);
  for (let edit = 0; edit < edits; edit++) {
    const at = Math.floor(random() * bytes.length);
    const choice = random();
    if (choice < 0.4) bytes[at] = (bytes[at] as number) ^ (1 << Math.floor(random() * 8));
    else if (choice < 0.8) bytes[at] = Math.floor(random() * 256);
    else bytes.copyWithin(at, at + 1 + Math.floor(random() * 4));
  }
  return bytes;
}
