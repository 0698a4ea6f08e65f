/** What the decoder in WebAssembly must get right by itself: its key cache, and its memory. */
import { describe, expect, it } from "vitest";
import { ExportTraceServiceRequest, traceBody } from "../bench/trace-bodies.ts";
import type { WantedKey } from "../src/index.ts";
import { KeyTable, SpanRows, TraceReader, unwantedKeys, wantedKeys } from "../src/index.ts";
import { TYPE_BITS } from "../src/otlp/span-rows.ts";
import { exactNames } from "./arbitrary-request.ts";

const MIB = 1024 ** 2;
const ids = { traceId: Buffer.alloc(16, 1), spanId: Buffer.alloc(8, 1) };

/** A request of one span with these attributes. */
function bodyOf(keys: string[], value: object = { intValue: 1 }): Uint8Array {
  const attributes = keys.map((key) => ({ key, value }));
  const scopeSpans = [{ spans: [{ ...ids, attributes }] }];
  return ExportTraceServiceRequest.encode({ resourceSpans: [{ scopeSpans }] }).finish();
}

/** A request of one span with one attribute, a list whose bytes are given. */
function attributeOf(key: string, elements: Uint8Array): Uint8Array {
  const field = (tag: number, bytes: Uint8Array) => {
    const head = [tag];
    let rest = bytes.length;
    for (; rest > 127; rest >>>= 7) head.push((rest & 127) | 128);
    return Buffer.concat([Buffer.from([...head, rest]), bytes]);
  };
  const value = field(0x12, field(0x2a, elements));
  const attribute = field(0x4a, Buffer.concat([field(0x0a, Buffer.from(key)), value]));
  const span = [field(0x0a, ids.traceId), field(0x12, ids.spanId), attribute];
  return field(0x0a, field(0x12, field(0x12, Buffer.concat(span))));
}

/** A reader, and the names of the keys that it finds in a body. */
function readerOf(keys = new KeyTable(wantedKeys(), unwantedKeys())) {
  const reader = new TraceReader(keys);
  const rows = new SpanRows();
  const read = (body: Uint8Array) => {
    expect(reader.read(body, rows)).toBeUndefined();
    return Array.from(rows.valueTag.subarray(0, rows.valueCount), (tag) => {
      return keys.known(tag >> TYPE_BITS).name;
    });
  };
  return { keys, rows, read };
}

/** As long as each other, with the same middle and the same end: all of them hash alike. */
const alike = (count: number, prefix = "ml.feature.") =>
  Array.from(
    { length: count },
    (_, i) => `${prefix}${String(i).padStart(5, "0")}${"x".repeat(30)}`,
  );

describe("the decoder's keys", () => {
  it("are told apart at any length, by any of their bytes", () => {
    const long = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    const names = Array.from({ length: long.length }, (_, i) => long.slice(0, i + 1));
    const near = names.flatMap((name) =>
      Array.from(name, (_, at) => `${name.slice(0, at)}-${name.slice(at + 1)}`),
    );
    const { read } = readerOf(
      new KeyTable(names.map((name, role): WantedKey => ({ name, role, template: false }))),
    );
    expect(read(bodyOf([...near, ...names, "", `${long}!`]))).toEqual(names);
    // The same through the general path, which takes values of more than 127 bytes.
    const stringValue = "v".repeat(200);
    expect(read(bodyOf([...near, ...names, ""], { stringValue }))).toEqual(names);
  });

  it("are found again when they hash alike", () => {
    const { read, keys } = readerOf();
    const names = alike(3000);
    expect(read(bodyOf(names))).toEqual(names);
    expect(read(bodyOf(names))).toEqual(names);
    expect(keys.overflowCount).toBe(0);
  });

  it("are found whatever strangers have put beside them", () => {
    const { read } = readerOf();
    const exact = exactNames(wantedKeys());
    expect(read(bodyOf(alike(10_000, "ml.featu")))).toEqual([]);
    expect(read(bodyOf(["ml.feature.", `ml.feature.${"n".repeat(300)}`]))).toEqual([
      "ml.feature.*",
    ]);
    expect(read(bodyOf([`ml.featur${"n".repeat(503)}`, ...unwantedKeys()]))).toEqual([]);
    expect(read(bodyOf([...exact, "ml.feature.age"]))).toEqual([...exact, "ml.feature.age"]);
  });

  it("count each time under their template once the table is full", () => {
    const room = new KeyTable(wantedKeys(), unwantedKeys()).size + 8;
    const { read, keys } = readerOf(new KeyTable(wantedKeys(), unwantedKeys(), room));
    const names = alike(50);
    const found = read(bodyOf(names));
    expect(keys.size).toBe(room);
    const beyond = found.filter((name) => name === "ml.feature.*").length;
    expect(keys.overflowCount).toBe(beyond);
    expect(read(bodyOf(names))).toEqual(found);
    expect(keys.overflowCount).toBe(2 * beyond);
  });
});

describe("the decoder's memory", () => {
  it("grows with a body, keeps every row, and is given back after many small ones", () => {
    const { read, rows } = readerOf();
    const small = traceBody("inference", 8, 1);
    const first = read(small);
    const numbers = Array.from(rows.valueNumber.subarray(0, rows.valueCount));

    const body = traceBody("inference", 30_000, 1);
    expect(body.length).toBeGreaterThan(16 * MIB);
    read(body);
    expect(rows.spanCount).toBe(30_000);
    expect(rows.valueCount).toBeGreaterThan(30_000 * 10);
    expect(rows.durationNs.every((ns) => ns >= 0 && ns < 5e6)).toBe(true);
    expect(rows.valueNumber.buffer.byteLength).toBeGreaterThan(body.length);
    const end = rows.endValue[rows.spanCount - 1];
    expect(end).toBe(rows.valueCount);

    for (let i = 0; i < 100; i++) expect(read(small)).toEqual(first);
    expect(Array.from(rows.valueNumber.subarray(0, rows.valueCount))).toEqual(numbers);
    expect(rows.valueNumber.buffer.byteLength).toBeLessThan(2 * MIB);
  });

  it("has room for lists of many elements, of which each is a row", () => {
    const { read, rows } = readerOf();
    const values = Array.from({ length: 100_000 }, (_, i) => ({ doubleValue: i }));
    read(bodyOf(["ml.feature.list"], { arrayValue: { values } }));
    expect(Array.from(rows.valueNumber.subarray(0, rows.valueCount))).toEqual(
      values.map(({ doubleValue }) => doubleValue),
    );
  });

  it("is bounded: a body of nothing but empty elements is refused, and the next one is read", () => {
    const reader = new TraceReader(new KeyTable(wantedKeys(), unwantedKeys()));
    const rows = new SpanRows();
    // One list of ten million elements, each a tag and a length of 0; ten million resources.
    const elements = Buffer.alloc(20 * MIB);
    for (let at = 0; at < elements.length; at += 2) elements[at] = 0x0a;
    const tooMany = "it holds more than 8,388,608 values, or 1,048,576 resources";
    for (const body of [attributeOf("ml.feature.list", elements), elements]) {
      expect(reader.read(body, rows)).toEqual({ message: tooMany, offset: 0 });
      expect(rows.valueTag.buffer.byteLength).toBeLessThan(256 * MIB);
    }
    expect(reader.read(bodyOf(["ml.model.name"]), rows)).toBeUndefined();
    expect(rows.valueCount).toBe(1);
  });

  it("belongs to one reader: another's rows stay as they are", () => {
    const [one, other] = [readerOf(), readerOf()];
    one.read(bodyOf(["ml.model.name"]));
    other.read(traceBody("mixed", 64, 1));
    expect(one.rows.valueCount).toBe(1);
    expect(one.rows.valueNumber[0]).toBe(1);
  });

  it("never mistakes what an earlier body has left behind for this one's", () => {
    const body = traceBody("mixed", 4, 1);
    const rows = new SpanRows();
    const [afterWhole, afterOnes] = [body, new Uint8Array(body.length).fill(1)].map((earlier) => {
      const reader = new TraceReader(new KeyTable(wantedKeys(), unwantedKeys()));
      return Array.from(body, (_, length) => {
        reader.read(earlier, rows);
        return [reader.read(body.subarray(0, length), rows), rows.spanCount, rows.valueCount];
      });
    });
    expect(afterWhole).toEqual(afterOnes);
  });
});
